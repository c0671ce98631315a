mod chain;
mod found;
mod links;
mod lists;
mod mangled;
mod manifest;
mod site;

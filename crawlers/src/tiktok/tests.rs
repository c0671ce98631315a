mod links;
mod manifest;
mod site;

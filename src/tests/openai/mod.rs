//! OpenAI's audio API: as its SDKs see it, and byte by byte.

mod sdk;
mod wire;

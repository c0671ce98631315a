//! Tests with the smoke model: real audio through ffmpeg, real whisper.cpp.

mod engine;
mod options;
mod recognise;
mod samples;

//! Tests with the smoke model: real audio through ffmpeg, real whisper.cpp.

mod engine;
mod recognise;
mod options;
mod samples;

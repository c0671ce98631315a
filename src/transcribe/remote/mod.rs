//! OpenAI-compatible transcription servers elsewhere, as engines.

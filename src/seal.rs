//! Encryption at rest: XChaCha20-Poly1305, each secret bound to the id of its owner.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};

use crate::error::{Code, Error, Result};

/// Bytes of the nonce, which stands before the encrypted text. Random ones of this length never meet.
const NONCE: usize = 24;

/// The key, ready for use.
pub(crate) struct Seal(XChaCha20Poly1305);

impl Seal {
    /// With this key.
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(key.into()))
    }

    /// Encrypts the secret of `id`.
    pub(crate) fn close(&self, id: &str, secret: &[u8]) -> Result<Vec<u8>> {
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload { msg: secret, aad: id.as_bytes() };
        let sealed = self
            .0
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Error::new(Code::Internal, "A secret cannot be encrypted"))?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// The secret of `id`; none with another key, another id, or changed bytes.
    pub(crate) fn open(&self, id: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        self.0.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: id.as_bytes() }).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_with_its_key_and_its_id_alone() {
        let seal = Seal::new(&[1; 32]);
        let closed = seal.close("a", b"secret").unwrap();
        assert_ne!(closed, seal.close("a", b"secret").unwrap());
        assert!(!closed.windows(6).any(|part| part == b"secret"));
        assert_eq!(seal.open("a", &closed).unwrap(), b"secret");
        let mut changed = closed.clone();
        changed[NONCE] ^= 1;
        for (seal, id, bytes) in [
            (&Seal::new(&[2; 32]), "a", &closed),
            (&seal, "b", &closed),
            (&seal, "a", &changed),
            (&seal, "a", &Vec::new()),
            (&seal, "a", &vec![0; NONCE]),
        ] {
            assert_eq!(seal.open(id, bytes), None);
        }
    }
}

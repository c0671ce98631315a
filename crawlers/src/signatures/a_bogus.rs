//! `a_bogus`, with which Douyin's page signs its requests: digests of the query, the method and the user agent, the time
//! and the shape of the window, lightly encrypted, behind masked noise.

use base64::{
    Engine,
    alphabet::Alphabet,
    engine::general_purpose::{GeneralPurpose, PAD},
};
use sm3::{Digest, Sm3};

/// What goes into one signature.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ABogus<'a> {
    /// The query as it will be sent, without `?` and without the signature.
    pub(crate) query: &'a str,
    /// `GET` or `POST`.
    pub(crate) method: &'a str,
    /// The `User-Agent` header that will be sent; characters beyond Latin-1 cannot be.
    pub(crate) user_agent: &'a str,
    /// The shape of the window: 17 fields in ASCII, joined by `|`.
    pub(crate) browser: &'a str,
    /// When signing began, in milliseconds since 1970.
    pub(crate) start_ms: u64,
    /// When it ended: a few milliseconds later.
    pub(crate) end_ms: u64,
    /// Three numbers below [`NOISE`].
    pub(crate) noise: [u16; 3],
}

/// Noise is below this.
pub(crate) const NOISE: u16 = 10_000;
/// What the text of every digest but the user agent's ends with.
const SALT: &[u8] = b"cus";
/// The masks of the noise: what is set in each of the four bytes of a number.
const MASKS: [[u8; 4]; 3] = [[1, 2, 5, 40], [1, 0, 0, 0], [1, 0, 5, 0]];
const USER_AGENT_KEY: &[u8] = &[0, 1, 14];
const KEY: &[u8] = b"y";
const USER_AGENT: GeneralPurpose = alphabet("ckdp1h4ZKsUB80/Mfvw36XIgR25+WQAlEi7NLboqYTOPuzmFjJnryx9HVGDaStCe");
const OUTPUT: GeneralPurpose = alphabet("Dkdpgh2ZmsQB80/MfvV36XI1R45-WUAlEixNLwoqYTOPuzKFjJnry79HbGcaStCe");

impl ABogus<'_> {
    /// The signature, not yet escaped.
    pub(crate) fn sign(&self) -> String {
        let mut plain = self.frame().to_vec();
        let check = plain.iter().fold(0, |sum, byte| sum ^ byte);
        plain.extend_from_slice(self.browser.as_bytes());
        plain.push(check);
        let mut signed = self.prefix();
        signed.extend(rc4(KEY, &plain));
        OUTPUT.encode(signed)
    }

    fn prefix(&self) -> Vec<u8> {
        let spread = |(number, masks): (u16, [u8; 4])| {
            let [high, low] = number.to_be_bytes();
            [low & 0xAA | masks[0], low & 0x55 | masks[1], high & 0xAA | masks[2], high & 0x55 | masks[3]]
        };
        self.noise.into_iter().zip(MASKS).flat_map(spread).collect()
    }

    fn frame(&self) -> [u8; 44] {
        let query = twice(self.query.as_bytes());
        let method = twice(self.method.as_bytes());
        let user_agent = user_agent_digest(self.user_agent);
        // The lowest byte first. Of what lies above the fifth the platform's code keeps nothing.
        let (start, end) = (self.start_ms.to_le_bytes(), self.end_ms.to_le_bytes());
        // The frame holds its own length, the number of the application (6383 in two bytes), and settings of the
        // platform's own code (1, 14, 3).
        let mut frame = [0; 44];
        for (at, value) in [
            (0, 44),
            (1, end[3]),
            (6, 24),
            (7, query[21]),
            (8, method[21]),
            (10, user_agent[23]),
            (11, end[2]),
            (15, 1),
            (17, 239),
            (18, query[22]),
            (19, method[22]),
            (20, user_agent[24]),
            (21, end[1]),
            (26, end[0]),
            (29, 14),
            (30, start[3]),
            (31, start[2]),
            (33, start[1]),
            (34, start[0]),
            (35, 3),
            (36, end[4]),
            (37, 1),
            (38, start[4]),
            (39, 1),
            (40, self.browser.len().to_le_bytes()[0]),
        ] {
            frame[at] = value;
        }
        frame
    }
}

fn twice(text: &[u8]) -> [u8; 32] {
    Sm3::digest(Sm3::new().chain_update(text).chain_update(SALT).finalize()).into()
}

fn user_agent_digest(user_agent: &str) -> [u8; 32] {
    // A character beyond Latin-1 cannot stand in a header; its low byte stands for it.
    let latin1: Vec<u8> = user_agent.chars().map(|c| u32::from(c).to_le_bytes()[0]).collect();
    Sm3::digest(USER_AGENT.encode(rc4(USER_AGENT_KEY, &latin1))).into()
}

const fn alphabet(characters: &str) -> GeneralPurpose {
    match Alphabet::new(characters) {
        Ok(alphabet) => GeneralPurpose::new(&alphabet, PAD),
        Err(_) => panic!("64 different characters, which the compiler checks"),
    }
}

/// RC4, which both encrypts and decrypts. The key is not empty.
pub(super) fn rc4(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut state: [u8; 256] = std::array::from_fn(|at| at.to_le_bytes()[0]);
    let mut other = 0_u8;
    for at in 0..256 {
        other = other.wrapping_add(state[at]).wrapping_add(key[at % key.len()]);
        state.swap(at, usize::from(other));
    }
    let (mut one, mut other) = (0_u8, 0_u8);
    let keystream = std::iter::repeat_with(move || {
        one = one.wrapping_add(1);
        other = other.wrapping_add(state[usize::from(one)]);
        state.swap(usize::from(one), usize::from(other));
        state[usize::from(state[usize::from(one)].wrapping_add(state[usize::from(other)]))]
    });
    text.iter().zip(keystream).map(|(byte, mask)| byte ^ mask).collect()
}

/// What a signature holds: the lowest 40 bits of the time, and parts of the digests.
pub(super) fn opened(signature: &str) -> Option<(u64, [u8; 6])> {
    let bytes = OUTPUT.decode(signature).ok()?;
    let plain = rc4(KEY, bytes.get(12..)?);
    let frame: [u8; 44] = plain.get(..44)?.try_into().ok()?;
    let time = [0, 0, 0, frame[36], frame[1], frame[11], frame[21], frame[26]];
    let digests = [frame[7], frame[18], frame[8], frame[19], frame[10], frame[20]];
    Some((u64::from_be_bytes(time), digests))
}

/// The parts of digests that [`opened`] should find.
pub(super) fn digests(query: &str, method: &str, user_agent: &str) -> [u8; 6] {
    let (query, method, agent) = (twice(query.as_bytes()), twice(method.as_bytes()), user_agent_digest(user_agent));
    [query[21], query[22], method[21], method[22], agent[23], agent[24]]
}

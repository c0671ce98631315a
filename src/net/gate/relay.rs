//! Bytes from one end of the gate to the other.

use std::io;

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

use super::Shared;

/// The longest head of a request.
const MAX_HEAD: usize = 64 * 1024;
const BUFFER: usize = 16 * 1024;

/// The head of a request with its empty line, and what came behind it.
pub(super) async fn read_head(client: &mut TcpStream) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut read = Vec::new();
    loop {
        let searched = read.len().saturating_sub(3);
        if client.read_buf(&mut read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(at) = read[searched..].windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = read.split_off(searched + at + 4);
            return Ok((read, rest));
        }
        if read.len() > MAX_HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
}

/// Both ways at once, until both ends have said all.
pub(super) async fn both_ways(client: &mut TcpStream, server: &mut TcpStream, shared: &Shared) -> io::Result<()> {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let up = pump(&mut from_client, &mut to_server, shared);
    let down = pump(&mut from_server, &mut to_client, shared);
    tokio::try_join!(up, down).map(drop)
}

/// The body of one request, `rest` of which is here, then the answer. A second request is not told on: the server is
/// right for the first one only.
pub(super) async fn one_request(
    client: &mut TcpStream,
    server: &mut TcpStream,
    rest: &[u8],
    body: u64,
    shared: &Shared,
) -> io::Result<()> {
    let here = usize::try_from(body).unwrap_or(usize::MAX).min(rest.len());
    server.write_all(shared.counted(&rest[..here])?).await?;
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    if body > here as u64 {
        copy(&mut (&mut from_client).take(body - here as u64), &mut to_server, shared).await?;
    }
    let mut more = [0; 1];
    tokio::select! {
        answered = pump(&mut from_server, &mut to_client, shared) => answered,
        // It has gone, or has more to say.
        _ = from_client.read(&mut more) => Ok(()),
    }
}

async fn pump(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    shared: &Shared,
) -> io::Result<()> {
    copy(from, to, shared).await?;
    to.shutdown().await
}

async fn copy(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    shared: &Shared,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        match from.read(&mut buffer).await? {
            0 => return Ok(()),
            count => to.write_all(shared.counted(&buffer[..count])?).await?,
        }
    }
}

//! Plain HTTP requests.

use std::io::{Read, Write};
use std::net::TcpStream;

/// Status and body of a GET at `HOST:PORT`.
///
/// # Errors
/// When nothing answers there.
pub fn get(address: &str, path: &str) -> std::io::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").expect("a head") + 4;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
    Ok((status, answer[end..].to_vec()))
}

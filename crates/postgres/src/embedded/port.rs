//! A TCP port of one's own.

use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};

/// The first of the ports tried. They lie below those that systems give to outgoing connections, so
/// that a port remembered is rarely lost to one.
const FIRST: u16 = 15_432;
const COUNT: u16 = 10_000;

/// How many ports in a row are tried before the system is asked for any.
const TRIES: u16 = 100;

/// The port remembered if it is free, else a free one. Each folder begins its search elsewhere.
pub(super) fn choose(remembered: &Path, folder: &Path) -> u16 {
    let before = fs::read_to_string(remembered).ok().and_then(|text| text.trim().parse().ok());
    let digest = Sha256::digest(folder.as_os_str().as_encoded_bytes());
    let start = digest.iter().take(2).fold(0, |sum: u16, byte| (sum << 8) | u16::from(*byte)) % COUNT;
    before
        .into_iter()
        .chain((0..TRIES).map(|n| FIRST + (start + n) % COUNT))
        .find(|port| is_free(*port))
        .or_else(any_free)
        .unwrap_or(FIRST)
}

/// True when nobody listens on the port of the loopback address. Some systems let two servers
/// listen, one on the address and one on all addresses, so the port is also knocked at.
pub(super) fn is_free(port: u16) -> bool {
    let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
    TcpListener::bind(address).is_ok()
        && TcpStream::connect_timeout(&address.into(), Duration::from_millis(200)).is_err()
}

fn any_free() -> Option<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
    listener.local_addr().ok().map(|address| address.port())
}

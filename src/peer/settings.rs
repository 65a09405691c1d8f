//! Where a call's media sockets are bound and what is announced of them: the `[webrtc]` section of the
//! configuration. Not the HTTP listener, and no ICE servers: browsers reach a server's own addresses.
//!
//! Today every call binds its own UDP sockets, one for each address. `udp_ports` already names the only
//! thing that one shared port would change, so a single-port mode is `udp_ports = [p, p]` later on.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use serde::{Deserialize, Serialize};

use super::PeerError;

/// Media addresses of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PeerSettings {
    /// Local addresses that carry media. Empty: every address of every interface, and loopback.
    pub bind: Vec<IpAddr>,
    /// Lowest and highest UDP port to use, both included. None: any free port.
    pub udp_ports: Option<(u16, u16)>,
    /// Addresses announced in place of the local ones, for a server behind a one-to-one NAT.
    pub public_ips: Vec<IpAddr>,
}

/// How often a port of the range is tried before the range counts as used up.
const PORT_TRIES: u32 = 64;

impl PeerSettings {
    /// Says what is wrong before the first call does.
    pub fn validate(&self) -> Result<(), PeerError> {
        if let Some((low, high)) = self.udp_ports
            && (low == 0 || low > high)
        {
            return Err(PeerError::Settings(format!(
                "webrtc.udp_ports is [{low}, {high}]: give the lowest and the highest port, e.g. [50000, 50999]"
            )));
        }
        if self.public_ips.iter().any(IpAddr::is_unspecified) {
            return Err(PeerError::Settings(
                "webrtc.public_ips holds 0.0.0.0 or ::, which no browser can reach".into(),
            ));
        }
        Ok(())
    }

    /// The addresses to bind for one call. Port 0 lets the system choose; an address of no interface is
    /// skipped by the transport, which only fails when none is left.
    pub(super) fn socket_addresses(&self) -> Result<Vec<SocketAddr>, PeerError> {
        let addresses = if self.bind.is_empty() { every_address() } else { self.bind.clone() };
        let Some(ports) = self.udp_ports else {
            return Ok(addresses.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect());
        };
        let mut sockets = Vec::with_capacity(addresses.len());
        for ip in addresses {
            match free_port(ip, ports) {
                FreePort::Found(port) => sockets.push(SocketAddr::new(ip, port)),
                FreePort::NoSuchAddress => {}
                FreePort::RangeUsedUp => {
                    return Err(PeerError::Transport(format!(
                        "no free UDP port between {} and {} on {ip}: widen webrtc.udp_ports",
                        ports.0, ports.1
                    )));
                }
            }
        }
        Ok(sockets)
    }
}

/// The wildcards stand for every non-loopback interface address (the transport expands them).
fn every_address() -> Vec<IpAddr> {
    vec![
        Ipv4Addr::UNSPECIFIED.into(),
        Ipv4Addr::LOCALHOST.into(),
        Ipv6Addr::UNSPECIFIED.into(),
        Ipv6Addr::LOCALHOST.into(),
    ]
}

enum FreePort {
    Found(u16),
    NoSuchAddress,
    RangeUsedUp,
}

/// A port of the range that can be bound now. Starting at a random place keeps calls from meeting at one port
/// between this look and the transport's own bind.
fn free_port(ip: IpAddr, (low, high): (u16, u16)) -> FreePort {
    let count = u32::from(high - low) + 1;
    let start: u32 = rand::random::<u32>() % count;
    for step in 0..count.min(PORT_TRIES) {
        // Below 2^16: `low + (count - 1)` is `high`.
        let port = low + ((start + step) % count) as u16;
        match UdpSocket::bind((ip, port)) {
            Ok(_) => return FreePort::Found(port),
            Err(error) if error.kind() == std::io::ErrorKind::AddrNotAvailable => return FreePort::NoSuchAddress,
            Err(error) if error.kind() == std::io::ErrorKind::Unsupported => return FreePort::NoSuchAddress,
            Err(_) => {}
        }
    }
    FreePort::RangeUsedUp
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reversed_port_range_is_refused_with_a_hint() {
        let settings = PeerSettings { udp_ports: Some((6000, 5000)), ..Default::default() };
        assert!(settings.validate().unwrap_err().to_string().contains("webrtc.udp_ports"));
    }

    #[test]
    fn ports_come_from_the_range() {
        let settings = PeerSettings {
            bind: vec![Ipv4Addr::LOCALHOST.into()],
            udp_ports: Some((42_100, 42_199)),
            ..Default::default()
        };
        for address in settings.socket_addresses().unwrap() {
            assert!((42_100..=42_199).contains(&address.port()));
        }
    }

    #[test]
    fn a_full_range_is_an_error_and_not_a_call_without_media() {
        let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let settings = PeerSettings {
            bind: vec![Ipv4Addr::LOCALHOST.into()],
            udp_ports: Some((port, port)),
            ..Default::default()
        };
        assert!(settings.socket_addresses().is_err());
    }
}

//! The addresses that a description names: others where a translator is before this machine, none of its own where it hides.

use std::net::IpAddr;

/// Leaves of the candidates those of relays, without the address from which the relay is reached. (The stack names it.)
/// Source: RFC 8839 §5.1, for who does not want to reveal it.
pub(super) fn of_relays(sdp: &str) -> String {
    let hidden = |line: &str| -> Option<String> {
        let words: Vec<&str> = line.split(' ').collect();
        let is_relay = words.windows(2).any(|pair| pair == ["typ", "relay"]);
        let hide = |(at, word): (usize, &&str)| match at.checked_sub(1).and_then(|at| words.get(at))
        {
            Some(&"raddr") if word.contains(':') => String::from("::"),
            Some(&"raddr") => String::from("0.0.0.0"),
            Some(&"rport") => String::from("9"),
            Some(_) | None => (*word).to_owned(),
        };
        let is_told = is_relay || !line.starts_with("a=candidate:");
        is_told.then(|| words.iter().enumerate().map(hide).collect::<Vec<_>>().join(" "))
    };
    sdp.lines().filter_map(hidden).map(|line| format!("{line}\r\n")).collect()
}

/// Puts the addresses by which this machine is reached in place of those that it has, the ports as they are. (The stack has
/// a setting for it that does nothing.)
pub(super) fn from_outside(sdp: &str, external: &[IpAddr]) -> String {
    let mut told = String::new();
    for line in sdp.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        // `a=candidate:` foundation, component, transport, priority, address, port, `typ`, kind (RFC 8839 §5.1).
        let own = match words.as_slice() {
            [first, _, _, _, own, _, "typ", "host", ..] if first.starts_with("a=candidate:") => {
                own.parse::<IpAddr>().ok()
            }
            _ => None,
        };
        let is_alike =
            |address: &&IpAddr| own.is_some_and(|own| own.is_ipv4() == address.is_ipv4());
        let mut lines: Vec<String> = (external.iter().filter(is_alike))
            .map(|address| {
                let address = address.to_string();
                let place = |(at, word): (usize, &&str)| {
                    if at == 4 { address.clone() } else { (*word).to_owned() }
                };
                words.iter().enumerate().map(place).collect::<Vec<_>>().join(" ")
            })
            .collect();
        if lines.is_empty() {
            lines.push(line.to_owned());
        }
        told.extend(lines.iter().flat_map(|line| [line.as_str(), "\r\n"]));
    }
    told
}

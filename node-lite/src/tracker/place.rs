//! Where listeners are, as coarsely as it is kept.
//!
//! ```text
//! address ─ exact ──> Network      kept while connected, and in the rate limits until those are full again (at most 35 minutes)
//!         ├ cut ────> Prefix       an IPv4 /24, an IPv6 /48: for caps and nearness
//!         ├ cut ────> WidePrefix   an IPv4 /16, an IPv6 /32
//!         └ file ───> Place        whole degrees and the operator's number; kept while connected
//! ```
//!
//! Source: ALLA-18; SEEDS "Privacy": coarse cell and operator only. Nothing of this is written to a disk or shown to listeners.

use borsh::{BorshDeserialize, BorshSerialize};
use rstar::{AABB, PointDistance, RTreeObject};
use std::net::IpAddr;

/// Mean radius of the earth in kilometres.
const EARTH_KM: f64 = 6371.0;

/// What a geographic file says about an address, made coarse at once.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize,
)]
pub struct Place {
    /// Where, if known.
    pub position: Option<Position>,
    /// The number of the autonomous system that the address belongs to, if known.
    pub operator: Option<u32>,
}

/// A position in whole degrees: a cell of at most 111 km by 111 km.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Position {
    latitude: i8,
    longitude: i16,
}

impl Position {
    /// Rounds a position in degrees, or returns `None` if there is no such place.
    pub fn coarse(latitude: f64, longitude: f64) -> Option<Self> {
        let is_place = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        if !is_place {
            return None;
        }
        let longitude = longitude.round();
        // Both ends of the degrees are the same meridian.
        let longitude = if longitude >= 180.0 { -180.0 } else { longitude };
        #[expect(clippy::cast_possible_truncation, reason = "within ±90 and ±180, see above")]
        Some(Self { latitude: latitude.round() as i8, longitude: longitude as i16 })
    }

    /// Returns the point on the globe in kilometres from its middle, so that poles and date line are no borders.
    fn point(self) -> [i64; 3] {
        let (latitude, longitude) =
            (f64::from(self.latitude).to_radians(), f64::from(self.longitude).to_radians());
        let round = latitude.cos();
        #[expect(clippy::cast_possible_truncation, reason = "at most the earth's radius")]
        [round * longitude.cos(), round * longitude.sin(), latitude.sin()]
            .map(|part| (part * EARTH_KM).round() as i64)
    }
}

/// A cell of the R-tree over positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) position: Position,
    pub(super) point: [i64; 3],
}

impl From<Position> for Cell {
    fn from(position: Position) -> Self {
        Self { position, point: position.point() }
    }
}

impl RTreeObject for Cell {
    type Envelope = AABB<[i64; 3]>;

    fn envelope(&self) -> Self::Envelope {
        AABB::from_point(self.point)
    }
}

impl PointDistance for Cell {
    fn distance_2(&self, point: &[i64; 3]) -> i64 {
        let parts = self.point.iter().zip(point);
        parts.map(|(a, b)| a.saturating_sub(*b)).map(|part| part.saturating_mul(part)).sum()
    }
}

/// Where a connection comes from: an IPv4 address, or the /64 that one IPv6 customer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Network([u8; 8]);

impl Network {
    pub(super) fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            // No /64 begins with zeros and ends in an IPv4 address but the reserved one.
            IpAddr::V4(v4) => (u64::from(v4.to_bits())).to_be_bytes(),
            IpAddr::V6(v6) => v6.octets().first_chunk().copied().unwrap_or_default(),
        })
    }

    /// Returns the prefix that one holder of addresses often has: an IPv4 /24, an IPv6 /48.
    pub(super) fn prefix(self) -> Prefix {
        let [a, b, c, d, e, f, g, _] = self.0;
        if [a, b, c, d] == [0; 4] { Prefix([0, 0, 0, e, f, g]) } else { Prefix([a, b, c, d, e, f]) }
    }
}

/// An IPv4 /24 or an IPv6 /48: what is kept of an address where the address itself is not needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub(super) struct Prefix([u8; 6]);

impl Prefix {
    /// Returns the IPv4 /16 or the IPv6 /32.
    pub(super) const fn wide(self) -> WidePrefix {
        let [a, b, c, d, e, _] = self.0;
        // As in a network, no IPv6 prefix in use begins with zeros.
        if a == 0 && b == 0 && c == 0 { WidePrefix([0, 0, d, e]) } else { WidePrefix([a, b, c, d]) }
    }
}

/// An IPv4 /16 or an IPv6 /32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WidePrefix([u8; 4]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_cut_to_its_prefixes() {
        let of = |text: &str| Network::of(text.parse().unwrap());
        let (a, b) = (of("192.0.2.1"), of("192.0.2.77"));
        assert!(a != b && a.prefix() == b.prefix());
        assert_ne!(a.prefix(), of("192.0.3.1").prefix());
        assert_eq!(a.prefix().wide(), of("192.0.3.1").prefix().wide());
        assert_ne!(a.prefix().wide(), of("192.1.2.1").prefix().wide());
        assert_eq!(of("::ffff:192.0.2.1"), a, "an IPv4 address in IPv6 is the IPv4 address");
        let (a, b) = (of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert!(a != b && a.prefix() == b.prefix() && a == of("2001:db8:1:2:3:4:5:6"));
        assert_ne!(a.prefix(), of("2001:db8:2:2::1").prefix());
        assert_eq!(a.prefix().wide(), of("2001:db8:2:2::1").prefix().wide());
        assert_ne!(a.prefix().wide(), of("2001:db9::1").prefix().wide());
    }

    #[test]
    fn a_position_is_rounded_and_what_is_none_is_refused() {
        assert_eq!(Position::coarse(52.52, 13.4), Position::coarse(53.4, 12.6));
        assert_ne!(Position::coarse(52.4, 13.4), Position::coarse(52.6, 13.4));
        assert_eq!(Position::coarse(0.0, 180.0), Position::coarse(0.0, -180.0));
        for (latitude, longitude) in
            [(90.1, 0.0), (-91.0, 0.0), (0.0, 181.0), (f64::NAN, 0.0), (0.0, f64::INFINITY)]
        {
            assert_eq!(Position::coarse(latitude, longitude), None);
        }
    }

    #[test]
    fn the_date_line_and_the_poles_are_no_borders() {
        let cell = |latitude, longitude| Cell::from(Position::coarse(latitude, longitude).unwrap());
        let km2 = |a: Cell, b: Cell| a.distance_2(&b.point);
        assert!(km2(cell(0.0, 179.0), cell(0.0, -179.0)) < 250 * 250);
        assert!(km2(cell(89.0, 0.0), cell(89.0, 180.0)) < 250 * 250);
        // Two degrees of latitude are 222 km.
        let there = km2(cell(50.0, 10.0), cell(52.0, 10.0));
        assert!((220 * 220..225 * 225).contains(&there), "{there}");
    }
}

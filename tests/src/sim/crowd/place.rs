//! Where listeners are: their addresses, what the tracker knows of them, and how far they are from each other.

use super::Dice;
use antiphon_node::tracker::{Place, Position};
use std::net::{IpAddr, Ipv4Addr};

/// Towns, each with a latitude and a longitude of its own. Chosen here.
const TOWNS: u8 = 40;
/// Providers in each of them, with an IPv4 /16 of their own. Chosen here.
const PROVIDERS: u8 = 4;
/// Kilometres that a message covers in a millisecond: light in glass, and detours.
const KM_PER_MS: f64 = 150.0;

/// Where a listener is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whereabouts {
    pub(super) address: IpAddr,
    pub(super) place: Place,
    /// In kilometres from the middle of the earth.
    point: [f64; 3],
    /// Milliseconds from the machine to its provider.
    access: u64,
}

impl Whereabouts {
    /// Draws where an ordinary listener is.
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let (town, provider) = (dice.below(TOWNS.into()) as u8, dice.below(PROVIDERS.into()) as u8);
        let host = dice.below(1 << 16);
        let wide = 20 + town * PROVIDERS + provider;
        Self::at(town, [wide, 7, (host >> 8) as u8, host as u8], dice)
    }

    /// Draws where one of those is who have four prefixes together, and no others.
    pub(super) fn of_few(dice: &mut Dice) -> Self {
        let (prefix, host) = (dice.below(4), dice.below(256));
        Self::at(0, [203, 0, prefix as u8, host as u8], dice)
    }

    fn at(town: u8, address: [u8; 4], dice: &mut Dice) -> Self {
        // The golden angle spreads the towns.
        let longitude = (f64::from(town) * 137.508) % 360.0 - 180.0;
        let latitude = f64::from(town) * 3.0 - 55.0;
        let (north, east) = (latitude.to_radians(), longitude.to_radians());
        let parts = [north.cos() * east.cos(), north.cos() * east.sin(), north.sin()];
        let operator = Some(u32::from(address[0]));
        Self {
            address: Ipv4Addr::from(address).into(),
            place: Place { position: Position::coarse(latitude, longitude), operator },
            point: parts.map(|part| part * 6371.0),
            access: 2 + dice.below(12),
        }
    }

    /// Returns how many milliseconds a message takes.
    pub(super) fn latency(&self, other: &Self) -> u64 {
        let parts = self.point.iter().zip(other.point).map(|(one, other)| (one - other).powi(2));
        let km = parts.sum::<f64>().sqrt();
        #[expect(clippy::cast_sign_loss, reason = "a distance")]
        let way = (km / KM_PER_MS) as u64;
        self.access + other.access + way
    }
}

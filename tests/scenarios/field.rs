//! Payment fields on a ledger: who lies, sleeps or dribbles loses nobody's money but a bond.
//! PROTOCOL A6.8, A6.11 to A6.15, A10.1; ADVERSARIAL cases 23 to 26.

mod book;
mod case;
mod dispute;
mod open;
mod random;
mod replay;
mod tower;

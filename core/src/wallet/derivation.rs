//! Keys from a seed, along a path of hardened steps.
//!
//! Ed25519 has only hardened steps: the index of each is taken below 2³¹ and hardened here.
//! Source: SLIP-0010, curve `ed25519 seed`.

use crate::crypto::SecretKey;
use core::fmt;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

/// First index that is hardened already.
const HARDENED: u32 = 1 << 31;

/// The block of SHA-512: shorter HMAC keys are filled with zeros to it (RFC 2104).
const BLOCK: usize = 128;

/// The index is at or above 2³¹.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("index {index} is not below 2^31")]
pub struct IndexError {
    /// The index given.
    pub index: u32,
}

impl IndexError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        "wallet/index-out-of-range"
    }
}

/// A secret key with its chain code: a node of the tree of keys.
#[derive(Clone)]
pub struct ExtendedKey {
    key: Zeroizing<[u8; 32]>,
    chain_code: Zeroizing<[u8; 32]>,
}

impl ExtendedKey {
    /// Returns the root `m` of a seed.
    pub fn master(seed: &[u8]) -> Self {
        Self::mac(b"ed25519 seed", &[seed])
    }

    /// Returns the hardened child `index'`.
    ///
    /// # Errors
    /// [`IndexError`] for an index at or above 2³¹.
    pub fn child(&self, index: u32) -> Result<Self, IndexError> {
        if index >= HARDENED {
            return Err(IndexError { index });
        }
        let index = (index | HARDENED).to_be_bytes();
        Ok(Self::mac(&*self.chain_code, &[&[0], &*self.key, &index]))
    }

    /// Returns the descendant along hardened indices.
    ///
    /// # Errors
    /// [`IndexError`] for the first index at or above 2³¹.
    pub fn derive(&self, path: &[u32]) -> Result<Self, IndexError> {
        path.iter().try_fold(self.clone(), |key, index| key.child(*index))
    }

    /// Returns key and chain code, to be kept where secrets are.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 64]> {
        let mut bytes = Zeroizing::new([0; 64]);
        let halves = self.key.iter().chain(self.chain_code.iter());
        bytes.iter_mut().zip(halves).for_each(|(to, from)| *to = *from);
        bytes
    }

    /// Takes back what [`ExtendedKey::to_bytes`] gave.
    pub fn from_bytes(bytes: &[u8; 64]) -> Self {
        let mut node = Self { key: Zeroizing::default(), chain_code: Zeroizing::default() };
        let halves = node.key.iter_mut().chain(node.chain_code.iter_mut());
        halves.zip(bytes).for_each(|(to, from)| *to = *from);
        node
    }

    /// Returns the key to sign with.
    pub fn secret(&self) -> SecretKey {
        SecretKey::from_bytes(&self.key)
    }

    /// HMAC-SHA512, split into key and chain code.
    fn mac(key: &[u8], data: &[&[u8]]) -> Self {
        let mut mac = keyed(key);
        data.iter().for_each(|part| mac.update(part));
        let digest = Zeroizing::new(<[u8; 64]>::from(mac.finalize().into_bytes()));
        Self::from_bytes(&digest)
    }
}

/// HMAC-SHA512 under a key, which is hashed if it is longer than a block (RFC 2104).
pub(super) fn keyed(key: &[u8]) -> Hmac<Sha512> {
    let mut block = Zeroizing::new([0; BLOCK]);
    let digest = (key.len() > BLOCK).then(|| Zeroizing::new(<[u8; 64]>::from(Sha512::digest(key))));
    let short = digest.as_ref().map_or(key, |digest| digest.as_slice());
    block.iter_mut().zip(short).for_each(|(to, from)| *to = *from);
    Hmac::new((&*block).into())
}

impl fmt::Debug for ExtendedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExtendedKey(of {})", self.secret().public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Index, chain code, private key, public key. Source: SLIP-0010, test vectors 1 and 2 for ed25519; private keys
    /// and chain codes also by Python's `hmac`.
    type Row = (Option<u32>, &'static str, &'static str, &'static str);

    const SEED_1: &str = "000102030405060708090a0b0c0d0e0f";
    const ROWS_1: [Row; 6] = [
        (
            None,
            "90046a93de5380a72b5e45010748567d5ea02bbf6522f979e05c0d8d8ca9fffb",
            "2b4be7f19ee27bbf30c667b642d5f4aa69fd169872f8fc3059c08ebae2eb19e7",
            "a4b2856bfec510abab89753fac1ac0e1112364e7d250545963f135f2a33188ed",
        ),
        (
            Some(0),
            "8b59aa11380b624e81507a27fedda59fea6d0b779a778918a2fd3590e16e9c69",
            "68e0fe46dfb67e368c75379acec591dad19df3cde26e63b93a8e704f1dade7a3",
            "8c8a13df77a28f3445213a0f432fde644acaa215fc72dcdf300d5efaa85d350c",
        ),
        (
            Some(1),
            "a320425f77d1b5c2505a6b1b27382b37368ee640e3557c315416801243552f14",
            "b1d0bad404bf35da785a64ca1ac54b2617211d2777696fbffaf208f746ae84f2",
            "1932a5270f335bed617d5b935c80aedb1a35bd9fc1e31acafd5372c30f5c1187",
        ),
        (
            Some(2),
            "2e69929e00b5ab250f49c3fb1c12f252de4fed2c1db88387094a0f8c4c9ccd6c",
            "92a5b23c0b8a99e37d07df3fb9966917f5d06e02ddbd909c7e184371463e9fc9",
            "ae98736566d30ed0e9d2f4486a64bc95740d89c7db33f52121f8ea8f76ff0fc1",
        ),
        (
            Some(2),
            "8f6d87f93d750e0efccda017d662a1b31a266e4a6f5993b15f5c1f07f74dd5cc",
            "30d1dc7e5fc04c31219ab25a27ae00b50f6fd66622f6e9c913253d6511d1e662",
            "8abae2d66361c879b900d204ad2cc4984fa2aa344dd7ddc46007329ac76c429c",
        ),
        (
            Some(1_000_000_000),
            "68789923a0cac2cd5a29172a475fe9e0fb14cd6adb5ad98a3fa70333e7afa230",
            "8f94d394a8e8fd6b1bc2f3f49f5c47e385281d5c17e65324b0f62483e37e8793",
            "3c24da049451555d51a7014a37337aa4e12d41e485abccfa46b47dfb2af54b7a",
        ),
    ];

    const SEED_2: &str = "fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a2\
        9f9c999693908d8a8784817e7b7875726f6c696663605d5a5754514e4b484542";
    const ROWS_2: [Row; 4] = [
        (
            None,
            "ef70a74db9c3a5af931b5fe73ed8e1a53464133654fd55e7a66f8570b8e33c3b",
            "171cb88b1b3c1db25add599712e36245d75bc65a1a5c9e18d76f9f2b1eab4012",
            "8fe9693f8fa62a4305a140b9764c5ee01e455963744fe18204b4fb948249308a",
        ),
        (
            Some(0),
            "0b78a3226f915c082bf118f83618a618ab6dec793752624cbeb622acb562862d",
            "1559eb2bbec5790b0c65d8693e4d0875b1747f4970ae8b650486ed7470845635",
            "86fab68dcb57aa196c77c5f264f215a112c22a912c10d123b0d03c3c28ef1037",
        ),
        (
            Some(2_147_483_647),
            "138f0b2551bcafeca6ff2aa88ba8ed0ed8de070841f0c4ef0165df8181eaad7f",
            "ea4f5bfe8694d8bb74b7b59404632fd5968b774ed545e810de9c32a4fb4192f4",
            "5ba3b9ac6e90e83effcd25ac4e58a1365a9e35a3d3ae5eb07b9e4d90bcf7506d",
        ),
        (
            Some(1),
            "73bd9fff1cfbde33a1b846c27085f711c0fe2d66fd32e139d3ebc28e5a4a6b90",
            "3757c7577170179c7868353ada796c839135b3d30554bbb74a4b1e4a5a58505c",
            "2e66aa57069c86cc18249aecf5cb5a9cebbfd6fadeab056254763874a9352b45",
        ),
    ];

    fn check(seed: &str, rows: &[Row]) {
        let mut node = ExtendedKey::master(&hex::decode(seed).unwrap());
        for (index, chain_code, private, public) in rows {
            if let Some(index) = index {
                node = node.child(*index).unwrap();
            }
            assert_eq!(hex::encode(*node.chain_code), *chain_code);
            assert_eq!(hex::encode(*node.key), *private);
            assert_eq!(hex::encode(node.secret().public().0), *public);
        }
    }

    #[test]
    fn the_vectors_of_the_standard_hold() {
        check(SEED_1, &ROWS_1);
        check(SEED_2, &ROWS_2);
    }

    #[test]
    fn an_index_that_is_hardened_already_is_refused() {
        let index = HARDENED;
        let root = ExtendedKey::master(&[0; 16]);
        assert_eq!(root.child(index).err(), Some(IndexError { index }));
        assert_eq!(root.derive(&[44, index]).err(), Some(IndexError { index }));
        assert!(root.child(index - 1).is_ok());
    }
}

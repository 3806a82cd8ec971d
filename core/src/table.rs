//! A table as a sorted list: what core's machines remember by name is bounded and small, and a page downloads what it runs.
//!
//! A tree of the standard library costs every page about nine kilobytes for each pair of types, and core has forty. A
//! search is as quick here; an insertion moves what stands behind it, which is nothing for names that count upwards.
//!
//! Deterministic as a tree is: everything comes in the order of the keys.

use alloc::vec::{self, Vec};
use core::{borrow::Borrow, iter, ops::RangeBounds, slice};

/// Values by key, in the order of the keys. Insertion and removal are linear in what stands behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table<K, V>(Vec<(K, V)>);

/// Goes through a table in the order of the keys.
pub type Iter<'a, K, V> = iter::Map<slice::Iter<'a, (K, V)>, fn(&'a (K, V)) -> (&'a K, &'a V)>;
/// Goes through a table in the order of the keys.
pub type IterMut<'a, K, V> =
    iter::Map<slice::IterMut<'a, (K, V)>, fn(&'a mut (K, V)) -> (&'a K, &'a mut V)>;

impl<K, V> Table<K, V> {
    /// Returns an empty table.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Returns how many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Goes through all pairs.
    pub fn iter(&self) -> Iter<'_, K, V> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// Goes through all pairs; values may be changed.
    pub fn iter_mut(&mut self) -> IterMut<'_, K, V> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// Goes through all keys.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + ExactSizeIterator + Clone {
        self.0.iter().map(|(key, _)| key)
    }

    /// Goes through all values, in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + ExactSizeIterator + Clone {
        self.0.iter().map(|(_, value)| value)
    }

    /// Goes through all values; they may be changed.
    pub fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut V> + ExactSizeIterator {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// Gives up all values, in the order of their keys.
    pub fn into_values(self) -> impl DoubleEndedIterator<Item = V> + ExactSizeIterator {
        self.0.into_iter().map(|(_, value)| value)
    }

    /// Gives up all keys.
    pub fn into_keys(self) -> impl DoubleEndedIterator<Item = K> + ExactSizeIterator {
        self.0.into_iter().map(|(key, _)| key)
    }

    /// Keeps what `keep` says.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.0.retain_mut(|(key, value)| keep(key, value));
    }

    /// Returns the pair with the least key.
    pub fn first_key_value(&self) -> Option<(&K, &V)> {
        self.0.first().map(|(key, value)| (key, value))
    }

    /// Returns the pair with the greatest key.
    pub fn last_key_value(&self) -> Option<(&K, &V)> {
        self.0.last().map(|(key, value)| (key, value))
    }

    /// Takes the pair with the least key out.
    pub fn pop_first(&mut self) -> Option<(K, V)> {
        if self.0.is_empty() { None } else { Some(self.0.remove(0)) }
    }

    /// Takes the pair with the greatest key out.
    pub fn pop_last(&mut self) -> Option<(K, V)> {
        self.0.pop()
    }
}

impl<K: Ord, V> Table<K, V> {
    /// Returns where a key is, or where it would be.
    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        // Names that count upwards are new at the end: that is looked at first.
        match self.0.last() {
            Some((last, _)) if last.borrow() < key => Err(self.0.len()),
            _ => self.0.binary_search_by(|(known, _)| known.borrow().cmp(key)),
        }
    }

    /// Returns the value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let place = self.place(key).ok()?;
        self.0.get(place).map(|(_, value)| value)
    }

    /// Returns the value of a key, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let place = self.place(key).ok()?;
        self.0.get_mut(place).map(|(_, value)| value)
    }

    /// Returns whether there is such a key.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.place(key).is_ok()
    }

    /// Enters a value and returns the one that was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.place(&key) {
            Ok(place) => self.0.get_mut(place).map(|(_, old)| core::mem::replace(old, value)),
            Err(place) => {
                self.0.insert(place, (key, value));
                None
            }
        }
    }

    /// Takes the value of a key out.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.place(key).ok().map(|place| self.0.remove(place).1)
    }

    /// Returns the place of a key, to be filled if it is empty.
    pub fn entry(&mut self, key: K) -> Entry<'_, K, V> {
        Entry { map: self, key }
    }

    /// Goes through the pairs whose keys lie in a range.
    pub fn range(&self, range: impl RangeBounds<K>) -> Iter<'_, K, V> {
        let (from, until) = self.bounds(range);
        self.0.get(from..until).unwrap_or_default().iter().map(|(key, value)| (key, value))
    }

    /// Goes through the pairs whose keys lie in a range; values may be changed.
    pub fn range_mut(&mut self, range: impl RangeBounds<K>) -> IterMut<'_, K, V> {
        let (from, until) = self.bounds(range);
        let part = self.0.get_mut(from..until).unwrap_or_default();
        part.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// Keeps what is below a key, and returns the rest.
    #[must_use]
    pub fn split_off(&mut self, key: &K) -> Self {
        let (Ok(place) | Err(place)) = self.place(key);
        Self(self.0.split_off(place))
    }

    fn bounds(&self, range: impl RangeBounds<K>) -> (usize, usize) {
        use core::ops::Bound::{Excluded, Included, Unbounded};
        let below = |key: &K| self.0.partition_point(|(known, _)| known < key);
        let up_to = |key: &K| self.0.partition_point(|(known, _)| known <= key);
        let from = match range.start_bound() {
            Included(key) => below(key),
            Excluded(key) => up_to(key),
            Unbounded => 0,
        };
        let until = match range.end_bound() {
            Included(key) => up_to(key),
            Excluded(key) => below(key),
            Unbounded => self.0.len(),
        };
        (from, until)
    }
}

/// The place of a key.
#[derive(Debug)]
pub struct Entry<'a, K, V> {
    map: &'a mut Table<K, V>,
    key: K,
}

impl<'a, K: Ord, V> Entry<'a, K, V> {
    /// Returns the value, entered now if there was none.
    pub fn or_insert_with(self, make: impl FnOnce() -> V) -> &'a mut V {
        let place = match self.map.place(&self.key) {
            Ok(place) => place,
            Err(place) => {
                self.map.0.insert(place, (self.key, make()));
                place
            }
        };
        #[expect(clippy::indexing_slicing, reason = "the place was found or filled just now")]
        let (_, value) = &mut self.map.0[place];
        value
    }

    /// Returns the value, entered now if there was none.
    pub fn or_insert(self, value: V) -> &'a mut V {
        self.or_insert_with(|| value)
    }

    /// Returns the value, or the default one, entered now.
    pub fn or_default(self) -> &'a mut V
    where
        V: Default,
    {
        self.or_insert_with(V::default)
    }
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Ord, V> Extend<(K, V)> for Table<K, V> {
    fn extend<T: IntoIterator<Item = (K, V)>>(&mut self, pairs: T) {
        for (key, value) in pairs {
            self.insert(key, value);
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Table<K, V> {
    fn from_iter<T: IntoIterator<Item = (K, V)>>(pairs: T) -> Self {
        let mut map = Self::new();
        map.extend(pairs);
        map
    }
}

impl<K: Ord, V, const N: usize> From<[(K, V); N]> for Table<K, V> {
    fn from(pairs: [(K, V); N]) -> Self {
        Self::from_iter(pairs)
    }
}

impl<K, V> IntoIterator for Table<K, V> {
    type Item = (K, V);
    type IntoIter = vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, K, V> IntoIterator for &'a Table<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, K, V> IntoIterator for &'a mut Table<K, V> {
    type Item = (&'a K, &'a mut V);
    type IntoIter = IterMut<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    /// What is done to a map.
    #[derive(Clone, Debug)]
    enum Act {
        Insert(u8, u16),
        Remove(u8),
        Add(u8),
        KeepOdd,
        PopFirst,
        PopLast,
        SplitOff(u8),
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            (any::<u8>(), any::<u16>()).prop_map(|(key, value)| Act::Insert(key % 32, value)),
            any::<u8>().prop_map(|key| Act::Remove(key % 32)),
            any::<u8>().prop_map(|key| Act::Add(key % 32)),
            Just(Act::KeepOdd),
            Just(Act::PopFirst),
            Just(Act::PopLast),
            any::<u8>().prop_map(|key| Act::SplitOff(key % 32)),
        ]
    }

    proptest! {
        #[test]
        fn it_does_what_a_tree_does(acts: Vec<u8>, ops in proptest::collection::vec(act(), 0..80)) {
            let mut map: Table<u8, u16> = acts.iter().map(|key| (*key % 32, 0)).collect();
            let mut tree: BTreeMap<u8, u16> = acts.iter().map(|key| (*key % 32, 0)).collect();
            for op in ops {
                match op {
                    Act::Insert(key, value) => {
                        prop_assert_eq!(map.insert(key, value), tree.insert(key, value));
                    }
                    Act::Remove(key) => prop_assert_eq!(map.remove(&key), tree.remove(&key)),
                    Act::Add(key) => {
                        *map.entry(key).or_default() ^= 7;
                        *tree.entry(key).or_default() ^= 7;
                    }
                    Act::KeepOdd => {
                        map.retain(|_, value| *value % 2 == 1);
                        tree.retain(|_, value| *value % 2 == 1);
                    }
                    Act::PopFirst => prop_assert_eq!(map.pop_first(), tree.pop_first()),
                    Act::PopLast => prop_assert_eq!(map.pop_last(), tree.pop_last()),
                    Act::SplitOff(key) => {
                        let (a, b) = (map.split_off(&key), tree.split_off(&key));
                        prop_assert!(a.iter().eq(b.iter()));
                    }
                }
                prop_assert!(map.iter().eq(tree.iter()));
                prop_assert_eq!(map.first_key_value(), tree.first_key_value());
                prop_assert_eq!(map.last_key_value(), tree.last_key_value());
                for key in 0..32 {
                    prop_assert_eq!(map.get(&key), tree.get(&key));
                    prop_assert!(map.range(key..).eq(tree.range(key..)));
                    prop_assert!(map.range(..=key).eq(tree.range(..=key)));
                    prop_assert!(map.range(key..24.max(key)).eq(tree.range(key..24.max(key))));
                }
            }
        }
    }
}

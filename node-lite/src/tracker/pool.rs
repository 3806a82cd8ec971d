//! Things to draw from at random, and such things in groups.

use super::dice::Dice;
use std::collections::{BTreeMap, BTreeSet};

/// Things in no order; each knows its place, so that one goes without a search.
#[derive(Clone, Debug)]
pub(super) struct Pool<T> {
    order: Vec<T>,
    places: BTreeMap<T, usize>,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self { order: Vec::new(), places: BTreeMap::new() }
    }
}

impl<T: Copy + Ord> Pool<T> {
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    pub(super) fn insert(&mut self, thing: T) {
        if !self.places.contains_key(&thing) {
            self.places.insert(thing, self.order.len());
            self.order.push(thing);
        }
    }

    pub(super) fn remove(&mut self, thing: &T) {
        let Some(place) = self.places.remove(thing) else { return };
        if place < self.order.len() {
            self.order.swap_remove(place);
        }
        if let Some(moved) = self.order.get(place) {
            self.places.insert(*moved, place);
        }
    }

    /// Draws at most `count` different things, each as likely, in an order that is as likely as any.
    pub(super) fn sample(&self, count: usize, dice: &mut Dice) -> Vec<T> {
        let mut chosen = BTreeSet::new();
        // Source: Floyd's sampling, CACM 30(9), 1987.
        for last in self.order.len().saturating_sub(count)..self.order.len() {
            let place = dice.below(last.saturating_add(1));
            if !chosen.insert(place) {
                chosen.insert(last);
            }
        }
        let mut drawn: Vec<T> =
            chosen.into_iter().filter_map(|place| self.order.get(place)).copied().collect();
        for last in (1..drawn.len()).rev() {
            drawn.swap(last, dice.below(last.saturating_add(1)));
        }
        drawn
    }
}

/// Pools by what their things have in common.
#[derive(Clone, Debug)]
pub(super) struct Groups<K, T> {
    pools: BTreeMap<K, Pool<T>>,
    keys: Pool<K>,
}

impl<K, T> Default for Groups<K, T> {
    fn default() -> Self {
        Self { pools: BTreeMap::new(), keys: Pool::default() }
    }
}

impl<K: Copy + Ord, T: Copy + Ord> Groups<K, T> {
    /// Adds a thing. Returns whether its group is new.
    pub(super) fn insert(&mut self, key: K, thing: T) -> bool {
        let is_new = !self.pools.contains_key(&key);
        self.pools.entry(key).or_default().insert(thing);
        self.keys.insert(key);
        is_new
    }

    /// Removes a thing. Returns whether its group is gone with it.
    pub(super) fn remove(&mut self, key: K, thing: &T) -> bool {
        let Some(pool) = self.pools.get_mut(&key) else { return false };
        pool.remove(thing);
        let is_gone = pool.len() == 0;
        if is_gone {
            self.pools.remove(&key);
            self.keys.remove(&key);
        }
        is_gone
    }

    /// Draws at most `count` things of one group.
    pub(super) fn sample(&self, key: K, count: usize, dice: &mut Dice) -> Vec<T> {
        self.pools.get(&key).map(|pool| pool.sample(count, dice)).unwrap_or_default()
    }

    /// Draws at most `count` groups, each as likely however large it is, and one thing of each.
    pub(super) fn sample_groups(&self, count: usize, dice: &mut Dice) -> Vec<T> {
        let keys = self.keys.sample(count, dice);
        keys.into_iter().flat_map(|key| self.sample(key, 1, dice)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thing_is_as_likely_in_every_place_and_none_comes_twice() {
        let (mut pool, mut dice) = (Pool::default(), Dice::new([1; 32]));
        (0..100).for_each(|n| pool.insert(n));
        let (mut counts, mut firsts) = (BTreeMap::new(), BTreeMap::new());
        for _ in 0..1000 {
            let drawn = pool.sample(32, &mut dice);
            *firsts.entry(drawn[0] / 10).or_insert(0) += 1;
            let distinct: BTreeSet<i32> = drawn.into_iter().collect();
            assert_eq!(distinct.len(), 32);
            distinct.into_iter().for_each(|thing| *counts.entry(thing).or_insert(0) += 1);
        }
        // 1000 draws of 32 out of 100: 320 on average, standard deviation 15.
        assert!(counts.len() == 100 && counts.values().all(|count| (250..400).contains(count)));
        // Ten tenths of 100 on average, standard deviation 9.5.
        assert!(firsts.len() == 10 && firsts.values().all(|count| (60..140).contains(count)));
    }

    #[test]
    fn things_come_and_go_and_groups_with_them() {
        let (mut groups, mut dice) = (Groups::default(), Dice::new([1; 32]));
        assert!((0..10).all(|n| groups.insert(n % 2, n) == (n < 2)));
        assert!(!groups.insert(0, 0), "once is enough");
        assert!(!groups.remove(1, &0), "it is in another group");
        assert!(![0, 4, 8].iter().any(|n| groups.remove(0, n)));
        let left: BTreeSet<i32> = groups.sample(0, 9, &mut dice).into_iter().collect();
        assert_eq!(left, BTreeSet::from([2, 6]));
        assert_eq!(groups.sample_groups(9, &mut dice).len(), 2);
        assert!(!groups.remove(0, &2) && groups.remove(0, &6));
        assert!(groups.sample_groups(9, &mut dice).iter().all(|n| n % 2 == 1));
    }
}

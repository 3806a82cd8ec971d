//! Whole syncs in virtual time: neighbours that answer, stall and lie, and a node that is killed at every write.

mod foes;
pub(crate) mod origin;

use super::*;
use crate::{bft::MAX_RECENT, supernode::wire::Wire};
use antiphon_core::{
    chain::{
        light::{LightError, MAX_TIP, Tip},
        set::ValidatorSet,
    },
    codec::{self, Bounded},
    crypto::Hash,
    id::Height,
};
use origin::{Disk, GENESIS, Origin};
use std::time::Duration;

/// What one neighbour answers; nothing, if it stalls.
type Neighbour<'a> = Box<dyn FnMut(&Ask) -> Option<Answer> + 'a>;

/// A node that syncs, with its neighbours.
struct World<'a> {
    disk: Disk,
    neighbours: Vec<Neighbour<'a>>,
    blamed: Vec<(Peer, Fault)>,
    asked: BTreeMap<Peer, Vec<Ask>>,
    /// The writes after which the node is killed.
    dies_after: usize,
    wall: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum End {
    Done,
    Nothing,
    Failed(SyncError),
    Killed,
}

impl<'a> World<'a> {
    fn new(neighbours: Vec<Neighbour<'a>>) -> Self {
        Self {
            disk: Disk::default(),
            neighbours,
            blamed: Vec::new(),
            asked: BTreeMap::new(),
            dies_after: usize::MAX,
            wall: GENESIS + 60_000,
        }
    }

    /// Runs a node from what is on the disk until it ends.
    fn run(&mut self) -> End {
        let mut now = Moment::ZERO;
        let config = Config {
            spec: origin::spec(),
            anchor: Anchor::Genesis,
            max_range: MIN_RANGE,
            kib_per_second: 8192,
            origin_ms: self.wall,
        };
        let mut out = Vec::new();
        let mut sync = Sync::new(now, config, self.disk.start.clone(), &mut out).unwrap();
        let mut heard: VecDeque<(Peer, Message)> = VecDeque::new();
        for _ in 0..200_000 {
            if let Some(end) = self.carry_out(std::mem::take(&mut out), &mut heard) {
                return end;
            }
            if let Some((peer, message)) = heard.pop_front() {
                now = now.after(Duration::from_millis(1));
                sync.handle(now, Input::Message(peer, message), &mut out);
            } else {
                let at = sync.deadline().expect("it waits for something");
                now = now.max(at);
                sync.handle(now, Input::Tick, &mut out);
            }
        }
        panic!("it goes on and on: {:?}", self.blamed);
    }

    fn carry_out(
        &mut self,
        outputs: Vec<Output>,
        heard: &mut VecDeque<(Peer, Message)>,
    ) -> Option<End> {
        for output in outputs {
            match output {
                Output::Store(_) if self.disk.writes >= self.dies_after => {
                    return Some(End::Killed);
                }
                Output::Store(part) => self.disk.write(*part),
                Output::Send(to, bytes) => {
                    let Ok(Wire::Sync(Message::Ask(id, ask))) = Wire::decode(&bytes) else {
                        panic!("only questions are sent")
                    };
                    let Some(neighbour) = self.neighbours.get_mut(usize::from(to)) else {
                        continue;
                    };
                    self.asked.entry(to).or_default().push(ask.clone());
                    let answer = neighbour(&ask);
                    heard.extend(answer.map(|answer| (to, Message::Answer(id, answer))));
                }
                Output::Blame(peer, fault) => self.blamed.push((peer, fault)),
                Output::Progress(..) => {}
                Output::Done => return Some(End::Done),
                Output::Nothing => return Some(End::Nothing),
                Output::Failed(error) => return Some(End::Failed(error)),
            }
        }
        None
    }

    /// The disk holds the state of the origin, node by node, and the head that follows from it.
    fn assert_is(&self, origin: &Origin) {
        assert_eq!(self.disk.values, origin.values);
        assert_eq!(self.disk.nodes, origin.nodes, "the very nodes that the crate makes");
        let finish = self.disk.finish.as_ref().expect("it is done");
        assert_eq!(&finish.target.checkpoint.header, origin.checkpoint());
        let mut below = origin.headers.clone();
        below.pop();
        below.reverse();
        assert_eq!(finish.ancestors, below[..below.len().min(MAX_RECENT - 1)]);
        assert_eq!(finish.validators, origin.spec.validators);
        assert_eq!(finish.guardians, origin.spec.guardians);
    }

    fn ranges(&self) -> Vec<&RangeAsk> {
        let all = self.asked.values().flatten();
        all.filter_map(|ask| if let Ask::Range(ask) = ask { Some(ask) } else { None }).collect()
    }
}

fn honest(origin: &Origin) -> Neighbour<'_> {
    Box::new(|ask| Some(origin.answer(ask)))
}

#[test]
fn a_synced_tree_is_node_by_node_the_tree_that_it_came_from() {
    for accounts in [1, 2, 3, 16, 17, 300, 5000] {
        let origin = Origin::new(accounts, 2, 0);
        let mut world = World::new(vec![honest(&origin), honest(&origin)]);
        assert_eq!(world.run(), End::Done, "{accounts} accounts");
        world.assert_is(&origin);
        assert_eq!(world.blamed, []);
        let (first, second) = (&world.asked[&0], &world.asked[&1]);
        let few = first.len().min(second.len()) * 3;
        assert!(few > first.len().max(second.len()), "the work is shared");
    }
}

#[test]
fn killed_at_any_write_it_goes_on_and_asks_for_no_range_twice() {
    let origin = Origin::new(1800, 2, 0);
    let mut whole = World::new(vec![honest(&origin)]);
    assert_eq!(whole.run(), End::Done);
    let (writes, ranges) = (whole.disk.writes, whole.ranges().len());
    assert!(writes > 16 && ranges > 16, "{writes} writes, {ranges} ranges");
    for dies_after in (0..writes).filter(|n| *n < 12 || n % 5 == 0 || n + 4 > writes) {
        let mut world = World::new(vec![honest(&origin)]);
        world.dies_after = dies_after;
        assert_eq!(world.run(), End::Killed);
        let held: Vec<Prefix> = world.disk.start.pieces.iter().map(|(at, _)| at.clone()).collect();
        world.asked.clear();
        world.dies_after = usize::MAX;
        assert_eq!(world.run(), End::Done, "killed after {dies_after} writes");
        world.assert_is(&origin);
        let again = world.ranges().into_iter().filter(|ask| held.contains(&ask.prefix)).count();
        assert_eq!(again, 0, "killed after {dies_after} writes");
    }
}

#[test]
fn where_nobody_has_the_state_any_more_the_newest_checkpoint_is_taken() {
    let (old, new) = (Origin::new(900, 2, 0), Origin::new(900, 4, 1));
    let mut first = World::new(vec![honest(&old)]);
    first.dies_after = 9;
    assert_eq!(first.run(), End::Killed);
    let mut world = World::new(vec![honest(&new), honest(&new)]);
    world.disk = first.disk;
    let pruned = world.disk.start.target.clone().unwrap();
    assert_eq!(pruned.checkpoint.header, *old.checkpoint());
    assert_eq!(world.run(), End::Done);
    world.assert_is(&new);
    assert_eq!(world.blamed, [], "who has no old state is honest");
}

#[test]
fn a_chain_without_a_final_checkpoint_begins_at_genesis() {
    let origin = Origin::new(5, 0, 0);
    assert_eq!(World::new(vec![honest(&origin)]).run(), End::Nothing);
}

#[test]
fn what_is_older_than_the_trusting_period_is_not_walked_from() {
    let origin = Origin::new(5, 2, 0);
    let mut world = World::new(vec![honest(&origin)]);
    world.wall = GENESIS + origin.spec.trusting_period;
    assert_eq!(world.run(), End::Failed(SyncError::TrustExpired));
    assert_eq!(SyncError::TrustExpired.code(), "sync/trust-expired");
}

#[test]
fn keys_are_frozen_for_every_set_that_may_have_been_on_when_the_sync_began() {
    let origin = Origin::new(5, 2, 0);
    let mut world = World::new(vec![honest(&origin)]);
    assert_eq!(world.run(), End::Done);
    let target = world.disk.finish.unwrap().target;
    let began = world.wall + origin.spec.drift;
    assert!(target.frozen_until.0 >= began && target.frozen_until.0 < began + 60_000);
}

#[test]
fn who_brings_what_is_old_news_by_now_is_no_liar() {
    let (old, new) = (Origin::new(40, 2, 0), Origin::new(40, 3, 0));
    let mut tips = 0;
    let laggard: Neighbour<'_> = Box::new(|ask| {
        tips += u32::from(matches!(ask.as_file(), Some(File::Tip)));
        Some(if tips < 2 { old.answer(ask) } else { new.answer(ask) })
    });
    let mut world = World::new(vec![laggard, honest(&new)]);
    assert_eq!(world.run(), End::Done);
    world.assert_is(&new);
    assert!(world.blamed.iter().all(|(_, fault)| !fault.is_foul()), "{:?}", world.blamed);
    for error in [LightError::NotAhead, LightError::FromFuture, LightError::BrokenChain] {
        assert!(!Fault::File(error).is_foul(), "{error}");
    }
    assert!(Fault::File(LightError::WrongContent).is_foul());
}

#[test]
fn a_tip_that_lies_about_what_is_final_costs_nothing_but_time() {
    let origin = Origin::new(40, 2, 0);
    let liar: Neighbour<'_> = Box::new(|ask| {
        if ask.as_file() != Some(File::Tip) {
            return Some(origin.answer(ask));
        }
        let tip =
            Tip { final_height: Height(800), final_block: BlockId(Hash([9; 32])), ..origin.tip() };
        let tip = codec::encode(&tip);
        assert!(tip.len() < MAX_TIP);
        Some(Answer::File(Bounded::try_from(tip).unwrap()))
    });
    let mut world = World::new(vec![liar, honest(&origin)]);
    assert_eq!(world.run(), End::Done);
    world.assert_is(&origin);
}

//! A real light client follows a chain on which stake moves: terms end, guardians change, and nothing it is told by honest
//! nodes is refused. PROTOCOL A1.22, A7.2, A7.4, A7.5; ADVERSARIAL cases 10, 27.

use antiphon_core::{
    amount::Amount,
    chain::{
        Level,
        light::{
            Anchor, Config, Input, Light, LightError, Output, Skipping, Source, Standing, Stored,
        },
        transaction::Message,
    },
    id::{Address, Height},
    time::UnixMillis,
};
use antiphon_node::{light::named, storage::Storage as _};
use antiphon_tests::sim::{
    Seed, gateway,
    genesis::{self, BOND, owner},
    network::Network,
};

const BLOCK_MS: u64 = 200;

/// The client of core on a host of a few lines, in the network's time.
struct Follower {
    light: Light,
    /// Which node answers as the client's own, and which as its witness.
    nodes: [usize; 2],
    stored: Stored,
    refused: Vec<LightError>,
    files: usize,
    /// The most that the settled head was behind that of the node, and the most blocks that were seen above it.
    settled: Height,
}

impl Follower {
    fn new(network: &Network, nodes: [usize; 2], stored: Stored) -> Self {
        let light = Light::new(Config {
            chain: network.spec.chain_id(),
            anchor: Anchor::Genesis,
            skipping: Skipping::Off,
            witnesses: 1,
        });
        let refused = Vec::new();
        let mut follower =
            Self { light, nodes, stored: stored.clone(), refused, files: 0, settled: Height(0) };
        follower.feed(network, Input::Loaded(stored));
        follower
    }

    fn feed(&mut self, network: &Network, input: Input) {
        let clock = UnixMillis(genesis::ORIGIN_MS + network.now().as_millis());
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let mut out = Vec::new();
            self.light.handle(network.now(), clock, input, &mut out);
            for output in out {
                match output {
                    Output::Fetch(source, file) => {
                        let node = self.nodes[usize::from(source != Source::NODE)];
                        let answer = gateway::light_file(network, node, &file.path());
                        let body = answer.filter(|a| a.status == 200).map(|a| a.body);
                        self.files += usize::from(body.is_some());
                        inputs.push(match body {
                            Some(body) => Input::Fetched(source, file, body),
                            None => Input::Missing(source, file),
                        });
                    }
                    Output::Keep(bytes) => self.stored.trust = Some(bytes),
                    Output::KeepFork(_) => panic!("nobody has split"),
                    Output::Refused(error) => self.refused.push(error),
                    Output::Advanced | Output::Alarm => {}
                }
            }
        }
        let settled = self.height(Level::Settled);
        assert!(
            settled >= self.settled,
            "settled goes back from {:?} to {settled:?}",
            self.settled
        );
        self.settled = settled;
    }

    fn height(&self, level: Level) -> Height {
        self.light.head(level).map_or(Height(0), |head| head.header.height)
    }

    /// Lets the network run to a settled height, and the client look whenever it wants to.
    fn follow(&mut self, network: &mut Network, height: u64) {
        let end = network.now().after(std::time::Duration::from_secs(120));
        while network.settled(self.nodes[0]).0 < height && network.now() < end {
            network.step();
            if self.light.deadline().is_some_and(|due| due <= network.now()) {
                self.feed(network, Input::Tick);
            }
        }
        assert!(network.settled(self.nodes[0]).0 >= height, "seed {}", network.seed());
    }
}

/// Moves stake, and lets client and network run past the election that follows.
fn move_stake(network: &mut Network, follower: &mut Follower, by: usize) {
    let staker = Address::of(&owner(by).public());
    let message = Message::Bond { staker, amount: Amount::from_units(BOND * 3) };
    let tx = gateway::transaction(network, 0, &owner(by), message);
    network.submit(0, tx).unwrap();
    let settled = network.settled(0).0;
    follower.follow(network, settled + 2 * genesis::INTERVAL);
}

#[test]
fn a_listener_follows_every_term_and_every_change_of_guardians() {
    let mut network = Network::new(Seed::or(51).number(), genesis::staking_spec(BLOCK_MS));
    network.run_for(1);
    let mut follower = Follower::new(&network, [0, 6], Stored::default());
    for by in [4, 5, 6, 4] {
        move_stake(&mut network, &mut follower, by);
        let (settled, last) = (follower.height(Level::Settled), follower.height(Level::Final));
        let best = network.settled(0);
        assert!(settled.0 + 4 >= best.0, "{settled:?} of {best:?} after {by}");
        assert!(last.0 + 3 * genesis::INTERVAL >= best.0, "{last:?} of {best:?} after {by}");
    }
    assert_eq!(follower.refused, [], "seed {}", network.seed());
    let head = follower.light.head(Level::Settled).unwrap();
    assert_ne!(head.header.validators_hash, network.spec.validators.hash(network.spec.chain_id()));
    assert!(head.age(UnixMillis(genesis::ORIGIN_MS + network.now().as_millis())) < 2_000);
    assert!(follower.light.is_witnessed(head.header.height));
    assert_eq!((follower.light.standing(), follower.light.is_alarmed()), (Standing::Good, false));
}

#[test]
fn a_listener_that_slept_over_changes_walks_them_and_replays_no_block() {
    let mut network = Network::new(Seed::or(52).number(), genesis::staking_spec(BLOCK_MS));
    network.run_for(1);
    let mut follower = Follower::new(&network, [0, 6], Stored::default());
    move_stake(&mut network, &mut follower, 4);
    let stored = follower.stored.clone();
    // Asleep: only the network goes on.
    let mut idle = Follower::new(&network, [0, 6], Stored::default());
    for by in [5, 6, 4, 5, 6, 4] {
        move_stake(&mut network, &mut idle, by);
    }
    let last = idle.height(Level::Final);
    let mut awake = Follower::new(&network, [0, 6], stored);
    awake.feed(&network, Input::Tick);
    assert_eq!(awake.refused, [], "seed {}", network.seed());
    assert!(awake.height(Level::Final) >= last);
    // Changes, and what is above the last checkpoint; between them lie more than a hundred blocks.
    let changes = count_changes(&network);
    assert!(changes >= 6, "{changes}");
    assert!(awake.files < 40, "{} files", awake.files);
}

/// Every change of guardians has a certificate of its own on every disk, also of a node that was away.
#[test]
fn whoever_was_away_when_guardians_changed_gets_the_certificates_that_clients_need() {
    let mut network = Network::new(Seed::or(53).number(), genesis::staking_spec(BLOCK_MS));
    network.run_for(1);
    network.crash(3, 0);
    let mut follower = Follower::new(&network, [0, 6], Stored::default());
    for by in [4, 5, 6] {
        move_stake(&mut network, &mut follower, by);
    }
    network.start(3);
    network.run_for(20);
    let mut late = Follower::new(&network, [3, 0], Stored::default());
    late.feed(&network, Input::Tick);
    assert_eq!(late.refused, [], "seed {}", network.seed());
    let best = network.settled(0);
    assert!(late.height(Level::Final).0 + 2 * genesis::INTERVAL >= best.0, "of {best:?}");
    for node in 0..7 {
        assert_eq!(missing(&network, node), [], "node {node}, seed {}", network.seed());
    }
}

/// Returns how many changes of guardians the chain of node 0 has.
fn count_changes(network: &Network) -> usize {
    let disk = network.disk(0);
    let heights = disk.chain().into_keys();
    let headers =
        heights.filter_map(|height| Some(disk.settled(height).unwrap()?.block.signed.header));
    headers.filter(|h| h.guardians_hash != h.next_guardians_hash).count()
}

/// Returns the changes up to the final height that a node could not show to a light client.
fn missing(network: &Network, node: usize) -> Vec<Height> {
    let disk = network.disk(node);
    let last = disk.certificate().map_or(Height(0), |certificate| certificate.height);
    let heights = disk.chain().into_keys().take_while(|height| *height <= last);
    let headers =
        heights.filter_map(|height| Some(disk.settled(height).unwrap()?.block.signed.header));
    let changes = headers.filter(|h| h.guardians_hash != h.next_guardians_hash);
    changes
        .filter(|header| {
            let file = named("change", &header.guardians_hash.to_hex()).unwrap();
            antiphon_node::light::find(disk, &network.spec, &file).unwrap().is_none()
        })
        .map(|header| header.height)
        .collect()
}

//! A client is given playlists that its publisher did not write.

use antiphon_core::{
    amount::Amount,
    chain::{light::Anchor, spec::Token},
    client::{
        Client, Config, HttpAnswer, Input, Loaded, Notice, Output, Part, UploadPolicy, WantId,
        Wanted,
    },
    codec::{Bounded, Text},
    crypto::{Hash, SecretKey, Signed},
    delivery::{
        heir::{Heir, Heirs},
        playlist::{record_tag, stream_tag},
        record::{Record, StreamInfo},
    },
    id::ChainId,
    time::{Moment, UnixMillis},
};

const CHAIN: ChainId = ChainId(Hash([9; 32]));
/// What the client answers to a playlist that it follows.
const FOLLOWED: Result<(), (bool, &str)> = Ok(());

#[test]
fn before_a_stream_plays_a_strange_playlist_is_only_told() {
    let mut page = Page::new();
    let thief = Forger { key: key(4), ..Forger::honest() };
    assert_eq!(page.read(&thief.text(0, 2)), Err((false, "playlist/wrong-stream")));
    assert_eq!(page.read("#EXTM3U\n#EXTINF:2,\nx\n"), Err((false, "playlist/no-stream")));
    assert_eq!(page.read(&Forger::honest().text(0, 2)), FOLLOWED);
}

#[test]
fn what_is_not_the_streams_takes_no_place_of_it_once_it_plays() {
    let mut page = Page::new();
    let honest = Forger::honest();
    assert_eq!(page.read(&honest.text(0, 3)), FOLLOWED);
    let thief = Forger { key: key(4), ..Forger::honest() };
    let own_heir = Heir::new(&key(4), key(3).public(), 0, key(5).public());
    let usurper = Forger { signer: key(5), heirs: vec![own_heir], ..Forger::honest() };
    let list = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlive.m3u8\n";
    let stripped = honest.text(1, 3).replace("#EXT-X-ANTIPHON", "#EXT-X-OTHER");
    let cases = [
        (thief.text(1, 3), "playlist/wrong-stream"),
        (usurper.text(1, 3), "playlist/bad-heir"),
        (list.to_owned(), "playlist/multivariant"),
        (stripped, "playlist/no-stream"),
        (honest.text(1, 3).replace("EXTINF:2", "EXTINF:-2"), "playlist/bad-number"),
        (honest.text(1, 3).replace("SEQUENCE:1", "SEQUENCE:9"), "segment/wrong-sequence"),
        (Forger { signs: key(4), ..Forger::honest() }.text(1, 3), "segment/bad-signature"),
    ];
    for (text, code) in cases {
        assert_eq!(page.read(&text), Err((true, code)));
    }
    assert_eq!(page.read(&honest.text(1, 3)), FOLLOWED);
    let unsigned = honest.text(1, 3) + "#EXTINF:2,\nextra.m4s\n";
    assert_eq!(page.read(&unsigned), FOLLOWED, "of what has no record nobody says anything");
}

#[test]
fn the_heir_is_followed_and_the_key_before_it_no_more() {
    let mut page = Page::new();
    assert_eq!(page.read(&Forger::honest().text(0, 3)), FOLLOWED);
    let heir = Heir::new(&key(3), key(3).public(), 0, key(5).public());
    let heirs = vec![heir];
    let heir = Forger { signer: key(5), signs: key(5), heirs, ..Forger::honest() };
    assert_eq!(page.read(&heir.text(1, 3)), FOLLOWED);
    assert!(page.knows(3), "what the heir signed can be asked for");
    assert_eq!(page.read(&Forger::honest().text(2, 3)), Err((true, "playlist/old-key")));
    assert!(!page.knows(4));
}

#[test]
fn numbers_that_a_liar_listed_first_are_still_the_publishers() {
    let mut page = Page::new();
    let honest = Forger::honest();
    assert_eq!(page.read(&honest.text(0, 3)), FOLLOWED);
    let lie = Forger { signs: key(4), ..Forger::honest() };
    assert_eq!(page.read(&lie.text(3, 3)), Err((true, "segment/bad-signature")));
    assert!(!page.knows(3) && !page.knows(5));
    assert_eq!(page.read(&honest.text(3, 3)), FOLLOWED);
    assert!(page.knows(3) && page.knows(5), "the lie has not taken their place");
}

#[test]
fn what_a_long_list_is_read_without_is_judged_before_it_is_played() {
    let mut page = Page::new();
    let honest = Forger::honest().text(0, 12);
    let lie = Forger { signs: key(4), ..Forger::honest() }.text(0, 12);
    assert_eq!(page.read(&with(&honest, &lie, 0)), FOLLOWED, "only its end is needed at once");
    assert!(page.knows(3), "whoever looks back gets what is signed");
    assert!(!page.knows(0));
    assert_eq!(page.check(0, &0_u64.to_le_bytes()), Err("segment/bad-signature"));
    assert_eq!(page.check(1, &1_u64.to_le_bytes()), Ok(()));
    assert_eq!(page.check(2, &9_u64.to_le_bytes()), Err("origin/bad-chunk"));
    assert_eq!(page.read(&honest), FOLLOWED);
    assert_eq!(page.check(0, &0_u64.to_le_bytes()), Ok(()));
}

#[test]
fn a_list_that_is_refused_takes_nothing_away_that_was_listed_before() {
    let mut page = Page::new();
    let lie = Forger { signs: key(4), ..Forger::honest() };
    assert_eq!(page.read(&Forger::honest().text(20, 12)), FOLLOWED);
    let short = with(&Forger::honest().text(0, 4), &lie.text(0, 4), 3);
    assert_eq!(page.read(&short), Err((true, "segment/bad-signature")));
    assert_eq!(page.check(21, &9_u64.to_le_bytes()), Err("origin/bad-chunk"));
    assert_eq!(page.check(22, &22_u64.to_le_bytes()), Ok(()));
}

#[test]
fn a_record_near_the_player_that_does_not_hold_refuses_its_list() {
    let mut page = Page::new();
    let (honest, lie) = (Forger::honest(), Forger { signs: key(4), ..Forger::honest() });
    let (truth, lies) = (honest.text(0, 12), lie.text(0, 12));
    assert_eq!(page.read(&truth), FOLLOWED);
    page.fetch(0, &0_u64.to_le_bytes());
    assert_eq!(page.read(&with(&truth, &lies, 3)), Err((true, "segment/bad-signature")));
    assert_eq!(page.check(3, &3_u64.to_le_bytes()), Ok(()), "what was listed before counts");
    assert_eq!(page.read(&with(&truth, &lies, 6)), FOLLOWED, "nobody needs it yet");
}

#[test]
fn the_oldest_segment_of_a_list_that_goes_back_for_an_hour_is_ordered_where_it_lies() {
    let mut page = Page::new();
    assert_eq!(page.read(&Forger::honest().text(0, 1800)), FOLLOWED);
    page.fetch(0, &0_u64.to_le_bytes());
    assert_eq!(page.held(), 8);
}

#[test]
fn another_segment_under_a_known_number_takes_its_place_wherever_it_is_listed() {
    let mut page = Page::new();
    assert_eq!(page.read(&Forger::honest().text(0, 12)), FOLLOWED);
    page.fetch(0, &0_u64.to_le_bytes());
    page.fetch(7, &7_u64.to_le_bytes());
    assert_eq!(page.held(), 16, "one is neither new nor near");
    let anew = Forger { salt: 99, ..Forger::honest() };
    assert_eq!(page.read(&anew.text(0, 12)), FOLLOWED);
    assert_eq!(page.held(), 0, "what was signed before is served to nobody");
    page.fetch(0, &99_u64.to_le_bytes());
    assert_eq!(page.held(), 8);
}

/// Writes playlists.
struct Forger {
    /// Whom the stream is said to be of.
    key: SecretKey,
    /// Who signs its description.
    signer: SecretKey,
    /// Who signs its records.
    signs: SecretKey,
    heirs: Vec<Heir>,
    /// What a segment's bytes are, beside its number.
    salt: u64,
}

impl Forger {
    fn honest() -> Self {
        Self { key: key(3), signer: key(3), signs: key(3), heirs: Vec::new(), salt: 0 }
    }

    fn text(&self, first: u64, count: u64) -> String {
        let info = StreamInfo {
            publisher: self.key.public(),
            name: Text::try_from("song").unwrap(),
            price: Amount::ZERO,
            token: Token::Operational,
            target_ms: 2000,
            tracker: Text::try_from("").unwrap(),
            node: Text::try_from("").unwrap(),
            maps: Bounded::new(),
            heirs: Heirs::try_from(self.heirs.clone()).unwrap(),
        };
        let stream = info.id(CHAIN);
        let info = stream_tag(&Signed::new(&self.signer, CHAIN, info));
        let mut text = format!("#EXTM3U\n{info}\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
        for number in first..first + count {
            let record = Record::of(stream, number, &(number ^ self.salt).to_le_bytes()).unwrap();
            let record = record_tag(&Signed::new(&self.signs, CHAIN, record));
            text += &format!("{record}\n#EXTINF:2,\n{number}.m4s\n");
        }
        text
    }
}

/// A playlist from number 0 on, with one record of another such playlist in place of its own.
fn with(list: &str, other: &str, number: usize) -> String {
    let [old, new] = [list, other].map(|text| text.lines().nth(3 + 3 * number).unwrap());
    list.replace(old, new)
}

fn key(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n; 32])
}

/// A page that pins the publisher.
struct Page(Client);

impl Page {
    fn new() -> Self {
        let config = Config {
            key: key(1),
            chain: CHAIN,
            anchor: Anchor::Genesis,
            node: String::from("http://node"),
            witnesses: Vec::new(),
            skipping: Default::default(),
            publisher: Some(key(3).public()),
            tracker: None,
            cache_limit: 1 << 20,
            upload: UploadPolicy { is_enabled: false, rate: None, total: None },
            has_tower: false,
            max_links: 8,
        };
        let mut page = Self(Client::new(config, [3; 32]));
        page.feed(Input::Loaded(Vec::new()));
        page
    }

    fn feed(&mut self, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        self.0.handle(Moment::ZERO, UnixMillis(0), input, &mut out);
        out
    }

    /// Reads a playlist; an error says whether it is refused, and why.
    fn read(&mut self, text: &str) -> Result<(), (bool, &'static str)> {
        let loaded = Loaded { url: String::from("http://origin/live.m3u8"), text: text.to_owned() };
        let answers = self.feed(Input::Playlist(WantId(7), loaded));
        let mut given = Vec::new();
        for output in answers {
            if output == Output::Deliver(WantId(7), Vec::new()) {
                given.push(Ok(()));
            } else if let Output::Refuse(WantId(7), code) = output {
                given.push(Err((true, code)));
            } else if let Output::Fail(WantId(7), code) = output {
                given.push(Err((false, code)));
            }
        }
        assert_eq!(given.len(), 1, "one answer");
        given.remove(0)
    }

    /// Wants a segment, and brings these bytes when it is ordered.
    fn fetch(&mut self, sequence: u64, bytes: &[u8]) {
        let wanted = Wanted { sequence, buffered_ms: 0 };
        let ordered = self.feed(Input::Want(WantId(8), wanted)).into_iter().find_map(|output| {
            let Output::Http(id, order) = output else { return None };
            (order.url == format!("{sequence}.m4s")).then_some(id)
        });
        let answer = HttpAnswer { status: 200, body: bytes.to_vec() };
        let out = self.feed(Input::HttpDone(ordered.expect("an order"), answer));
        assert!(out.contains(&Output::Notify(Notice::Changed)), "figures go with each segment");
        self.feed(Input::Unwant(WantId(8)));
    }

    /// Bytes of verified chunks.
    fn held(&self) -> u64 {
        self.0.snapshot().delivery.cached
    }

    /// Has the bytes of a segment judged.
    fn check(&mut self, sequence: u64, bytes: &[u8]) -> Result<(), &'static str> {
        let out = self.feed(Input::Check(WantId(9), Part::Segment(sequence), bytes.to_vec()));
        let answer = out.into_iter().find_map(|output| {
            if let Output::Refuse(WantId(9), code) = output {
                return Some(Err(code));
            }
            matches!(output, Output::Deliver(WantId(9), _)).then_some(Ok(()))
        });
        answer.expect("an answer that judges")
    }

    /// Whether a verified segment of this number can be asked for.
    fn knows(&mut self, sequence: u64) -> bool {
        let wanted = Wanted { sequence, buffered_ms: 9000 };
        let out = self.feed(Input::Want(WantId(8), wanted));
        self.feed(Input::Unwant(WantId(8)));
        !out.contains(&Output::Fail(WantId(8), "fetch/unknown-segment"))
    }
}

//! What may be given, told to a client that serves, crashes, ends and begins again.

use super::*;

const MIB: u64 = 1 << 20;
/// The 28th of November 2026, and the first moment of the month after.
const NOVEMBER: UnixMillis = UnixMillis(1_795_824_000_000);
const DECEMBER: UnixMillis = UnixMillis(1_796_083_200_000);

#[test]
fn what_is_agreed_to_is_what_the_client_begins_with_and_without_terms_everything_is_given() {
    let all = Policy { is_enabled: true, rate: None, total: None };
    let device = Device::begin(Terms::default());
    assert_eq!((device.policy, device.told), (all, 0));
    let slow = Terms { rate: Some(5_000), ..Terms::default() };
    assert_eq!(Device::begin(slow).policy, Policy { rate: Some(5_000), ..all });
    let nothing = Terms { is_enabled: false, ..Terms::default() };
    let device = Device::begin(nothing);
    assert_eq!((device.policy.is_enabled, device.why()), (false, Reason::Declined));
    assert_eq!(device.row, None, "nothing is taken where nothing is given");
}

#[test]
fn nothing_is_given_where_bytes_are_counted_or_power_is_short_unless_agreed() {
    let mut device = Device::begin(Terms::default());
    let metered = Surroundings { is_metered: true, is_saving_power: false };
    let saving = Surroundings { is_metered: false, is_saving_power: true };
    for (around, why) in [(metered, Reason::Metered), (saving, Reason::SavingPower)] {
        device.hear(Input::Moved(around));
        assert_eq!((device.policy.is_enabled, device.why()), (false, why));
    }
    let all = Terms { on_metered: true, while_saving_power: true, ..Terms::default() };
    device.hear(Input::Agreed(all));
    assert!(device.policy.is_enabled);
    device.hear(Input::Moved(metered));
    assert!(device.policy.is_enabled);
}

#[test]
fn of_a_month_with_a_cap_nothing_is_given_before_a_slice_is_durable_and_never_more_than_all_of_it()
{
    let mut device = Device::new(monthly(6 * MIB));
    assert_eq!((device.policy.is_enabled, device.policy.total), (false, Some(0)));
    device.hear(Input::Loaded(None));
    assert_eq!(device.policy.total, Some(0), "it is not written yet");
    assert_eq!(device.why(), Reason::Agreed);
    device.written();
    assert_eq!((device.policy.is_enabled, device.policy.total), (true, Some(4 * MIB)));
    device.serve(3 * MIB + 1);
    assert_eq!(device.policy.total, Some(6 * MIB), "the rest of the month");
    device.serve(9 * MIB);
    assert_eq!((device.served, device.why()), (6 * MIB, Reason::Spent));
    assert_eq!((device.policy.is_enabled, device.month()), (false, 6 * MIB));
    device.written();
    device.serve(MIB);
    assert_eq!(device.served, 6 * MIB);
}

#[test]
fn what_a_client_did_not_give_is_put_back_when_it_ends_and_the_next_one_may_give_it() {
    let mut device = Device::begin(monthly(5 * MIB));
    device.serve(MIB);
    device.hear(Input::Left);
    assert!(!device.policy.is_enabled);
    device.restart();
    assert_eq!((device.month(), device.session()), (MIB, MIB));
    device.serve(9 * MIB);
    assert_eq!((device.month(), device.session()), (5 * MIB, 5 * MIB));
    device.hear(Input::Left);
    device.hear(Input::Served(device.served));
    device.restart();
    assert_eq!((device.why(), device.policy.is_enabled), (Reason::Spent, false));
}

#[test]
fn a_client_that_crashes_has_given_all_that_was_taken_and_never_is_more_given_than_the_cap() {
    let mut device = Device::begin(monthly(6 * MIB));
    device.serve(MIB);
    // As much as the policy allows, and nobody hears of it.
    let unheard = device.policy.total.unwrap();
    device.restart();
    assert_eq!((device.month(), device.session()), (4 * MIB, 4 * MIB));
    assert_eq!(device.policy.total, Some(2 * MIB));
    device.serve(9 * MIB);
    assert!(unheard + device.served <= 6 * MIB);
    assert_eq!(device.why(), Reason::Spent);
    let mut device = Device::new(monthly(6 * MIB));
    device.hear(Input::Loaded(None));
    device.restart();
    assert_eq!(device.month(), 0, "what was not written was not given");
}

#[test]
fn a_new_month_begins_with_nothing_given_and_what_was_left_of_the_old_one_is_gone() {
    let mut device = Device::begin(monthly(4 * MIB));
    device.serve(4 * MIB);
    assert_eq!(device.why(), Reason::Spent);
    device.clock = DECEMBER;
    device.hear(Input::Served(device.served));
    device.written();
    assert_eq!((device.why(), device.month()), (Reason::Agreed, 0));
    assert_eq!(device.policy.total, Some(8 * MIB), "four of November, four of December");
    device.serve(9 * MIB);
    assert_eq!((device.served, device.month()), (8 * MIB, 4 * MIB));
    // A clock that goes back finds what was given then.
    device.clock = NOVEMBER;
    device.hear(Input::Served(device.served));
    device.written();
    assert_eq!((device.why(), device.month()), (Reason::Spent, 4 * MIB));
}

#[test]
fn a_slice_of_the_old_month_that_is_durable_late_is_no_more_to_give() {
    let mut device = Device::new(monthly(4 * MIB));
    device.hear(Input::Loaded(None));
    device.clock = DECEMBER;
    device.hear(Input::Served(0));
    device.written();
    assert_eq!((device.policy.total, device.month()), (Some(4 * MIB), 0));
}

#[test]
fn a_cap_that_is_agreed_to_later_counts_what_was_given_before_and_not_what_was_taken_without_it() {
    let mut device = Device::begin(Terms::default());
    device.serve(7 * MIB);
    device.hear(Input::Agreed(monthly(8 * MIB)));
    assert!(!device.policy.is_enabled, "until what is taken under the cap is durable");
    device.written();
    assert_eq!((device.policy.total, device.month()), (Some(8 * MIB), 7 * MIB));
    device.hear(Input::Agreed(monthly(7 * MIB)));
    device.hear(Input::Agreed(monthly(9 * MIB)));
    device.hear(Input::Agreed(monthly(7 * MIB)));
    device.written();
    assert_eq!((device.policy.is_enabled, device.why()), (false, Reason::Spent));
    assert_eq!(device.month(), 7 * MIB);
}

#[test]
fn the_cap_of_a_session_holds_over_sleeps_and_crashes() {
    let terms = Terms { total: Some(10 * MIB), ..Terms::default() };
    let mut device = Device::begin(terms);
    device.serve(3 * MIB);
    device.hear(Input::Left);
    device.restart();
    assert_eq!(device.session(), 3 * MIB);
    device.serve(MIB);
    device.restart();
    assert_eq!(device.session(), 7 * MIB, "with all of the slice");
    device.serve(9 * MIB);
    assert_eq!((device.session(), device.why()), (10 * MIB, Reason::Spent));
}

#[test]
fn where_there_is_no_cap_nothing_waits_for_a_slice_and_the_month_is_counted_all_the_same() {
    let mut device = Device::begin(Terms::default());
    device.serve(20 * MIB);
    assert_eq!((device.policy.total, device.month()), (None, 20 * MIB));
    device.serve(MIB);
    device.hear(Input::Left);
    device.restart();
    assert_eq!((device.month(), device.session()), (21 * MIB, 21 * MIB));
}

#[test]
fn who_has_a_fast_line_takes_greater_slices_and_the_next_before_one_is_used_up() {
    let mut device = Device::new(monthly(900 * MIB));
    device.sharing = device.sharing.in_slices_of(64 * MIB);
    device.hear(Input::Loaded(None));
    device.written();
    assert_eq!(device.policy.total, Some(64 * MIB));
    device.serve(48 * MIB);
    assert_eq!(device.policy.total, Some(64 * MIB), "a quarter is left");
    device.serve(MIB);
    assert_eq!((device.policy.total, device.month()), (Some(113 * MIB), 49 * MIB));
}

fn monthly(bytes: u64) -> Terms {
    Terms { monthly: Some(bytes), ..Terms::default() }
}

/// A device with its disk, and a client that gives what it may.
struct Device {
    sharing: Sharing,
    clock: UnixMillis,
    /// What is durable, and what is on its way there.
    row: Option<Vec<u8>>,
    writing: Option<Vec<u8>>,
    /// What the client goes by, and how often it was told.
    policy: Policy,
    told: u32,
    served: u64,
}

impl Device {
    fn new(terms: Terms) -> Self {
        let sharing = Sharing::new(terms, Surroundings::default(), 0);
        let (clock, policy) = (NOVEMBER, sharing.policy());
        Self { sharing, clock, row: None, writing: None, policy, told: 0, served: 0 }
    }

    fn begin(terms: Terms) -> Self {
        let mut device = Self::new(terms);
        device.hear(Input::Loaded(None));
        device.written();
        device
    }

    fn hear(&mut self, input: Input) {
        let mut out = Vec::new();
        self.sharing.handle(self.clock, input, &mut out);
        for output in out {
            match output {
                Output::Keep(row) => self.writing = Some(row),
                Output::Apply(policy) => {
                    self.policy = policy;
                    self.told += 1;
                }
            }
        }
    }

    /// What is on its way to the disk is durable.
    fn written(&mut self) {
        if let Some(row) = self.writing.take() {
            self.row = Some(row);
            self.hear(Input::Kept);
        }
    }

    /// Neighbours ask for so many bytes, in pieces, and get what the policy allows.
    fn serve(&mut self, bytes: u64) {
        for _ in 0..bytes.div_ceil(MIB) {
            let most = self.policy.total.unwrap_or(u64::MAX);
            if self.policy.is_enabled {
                self.served = (self.served + MIB).min(most);
            }
            self.hear(Input::Served(self.served));
            self.written();
        }
    }

    /// Another client begins, with what is durable; if the last one ended, that is all that it gave.
    fn restart(&mut self) {
        if self.sharing.is_over {
            self.written();
        }
        let Sharing { terms, around, .. } = self.sharing.clone();
        self.sharing = Sharing::new(terms, around, self.sharing.at_most());
        (self.policy, self.served, self.writing) = (self.sharing.policy(), 0, None);
        self.hear(Input::Loaded(self.row.clone()));
        self.written();
    }

    fn why(&self) -> Reason {
        self.sharing.view().why
    }

    fn month(&self) -> u64 {
        self.sharing.view().month_bytes
    }

    fn session(&self) -> u64 {
        self.sharing.view().session_bytes
    }
}

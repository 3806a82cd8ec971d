//! Codes of words, addresses, amounts and transactions of one account.

use super::{
    Group,
    Interface::{Command, Page, Peer, Phone},
    Retry::{Later, Never},
    row,
};

#[rustfmt::skip] // A table, one code a row.
pub(super) const GROUPS: [Group; 2] = [
    Group {
        title: "Words, addresses and amounts",
        about: "What people type: twelve words, an address, a sum. The text itself is never repeated in an error.",
        met: &[Page, Phone, Command],
        rows: &[
            row("address/bad-checksum", Never, "The last four bytes of the address do not fit the others: a character was mistyped or is missing.",
                "Copy the address anew; never correct it by guessing."),
            row("address/falcon", Never, "The address begins with `F`, which is kept for Falcon keys of later versions.",
                "Ask for an address that begins with `A`."),
            row("address/not-base58", Never, "A character is none that an address is written with: `0`, `O`, `I` and `l` never are.",
                "Copy the address anew."),
            row("address/unknown-kind", Never, "The text decodes, and is an address of another system.",
                "Ask for an Antiphon address: 34 characters, the first an `A`."),
            row("address/wrong-length", Never, "An address has 34 characters.",
                "Copy the whole address, without spaces."),
            row("amount/not-decimal", Never, "The text has something else than digits and at most one point.",
                "Write an amount as `12.5`, without signs, spaces or separators of thousands."),
            row("amount/out-of-range", Never, "The number does not fit 128 bits.",
                "Write a smaller amount."),
            row("amount/too-precise", Never, "The text has more digits after the point than the token has.",
                "Leave out the digits that the token cannot hold; nothing is rounded for you."),
            row("wallet/bad-checksum", Never, "Every word is known, and together they are no wallet: one was swapped or misread.",
                "The words do not belong together; compare each with what was written down."),
            row("wallet/bad-entropy-length", Never, "Words are made of 16 or 32 bytes of entropy, and there were more or fewer.",
                "Pass 16 bytes for twelve words, or 32 for twenty-four."),
            row("wallet/bad-word-count", Never, "There are more or fewer words than any wallet has.",
                "A wallet has 12 or 24 words."),
            row("wallet/index-out-of-range", Never, "The index of an account is at or above 2^31, and paths are hardened.",
                "Count accounts from 0."),
            row("wallet/text-too-long", Never, "The text is far longer than 24 words can be; it was not read to its end.",
                "Pass the words alone, with spaces between them."),
            row("wallet/unknown-word", Never, "A word is not one of the 2048. Its position is told, the word is not repeated.",
                "A word is not in the English list of BIP-39; compare each with what was written down."),
        ],
    },
    Group {
        title: "Transactions of an account",
        about: "Why an account's transaction was not even made. No money moved.",
        met: &[Page, Phone, Peer],
        rows: &[
            row("wallet/insufficient", Never, "What is proven to be in the account, less what waits already, is below the amount with its fee.",
                "The proven balance does not cover the amount with its fee."),
            row("wallet/not-ready", Later, "Balance and sequence of the account are not proven yet, as after a start.",
                "The account is not proven yet; wait for the chain."),
            row("wallet/queue-full", Later, "As many transactions wait for their turn as are kept, 32.",
                "Too many transactions wait; wait for one."),
        ],
    },
];

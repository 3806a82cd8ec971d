//! Codes of who publishes a stream.

use super::{
    Group,
    Interface::{Command, Log},
    Retry::{Later, Never},
};

#[rustfmt::skip] // A table, one code a row.
pub(super) const GROUPS: [Group; 3] = [
    Group {
        title: "A publisher's source",
        about: "Why `antiphon publish` cannot take in what an encoder wrote. A running stream waits for the next good file.",
        met: &[Command, Log],
        rows: &[
            ("fragment/malformed", Never, "A box of the fragmented MP4 is cut, or its content is not what its name says.",
                "Let ffmpeg write fMP4 (`-hls_segment_type fmp4`), and files appear only when whole (`-hls_flags temp_file`)."),
            ("fragment/not-one-track", Never, "The initialisation segment describes no track, or several.",
                "Map one audio track: `-map 0:a:0` of ffmpeg."),
            ("fragment/time-overflow", Never, "The time does not fit the 32 bits of the file's field.",
                "Begin the recording's times at zero."),
            ("fragment/timeless", Never, "A segment has no fragment, or one without a base time or a duration.",
                "Let ffmpeg write fMP4 (`-hls_segment_type fmp4`)."),
            ("fragment/timescale", Never, "The segment's index counts in other units than its track.",
                "Leave the index out, or write it by the same encoder."),
            ("intake/bad-name", Never, "A segment's name leads out of the folder, or is of a kind that is not carried.",
                "Name segments without folders, ending in .m4s, .mp4, .m4a, .aac, .mp3 or .ts."),
            ("intake/not-playlist", Never, "The source's playlist is no media playlist, or longer than 1 MiB or 4096 segments.",
                "Let the encoder write an HLS media playlist with a short list (`-hls_list_size`)."),
            ("intake/unsupported", Never, "The source's segments are byte ranges, or encrypted otherwise than whole with AES-128 and a key at an absolute URL.",
                "Write one file a segment; encrypt with AES-128 or not at all."),
            ("rendition/bad-offer", Never, "A rendition's name or codecs cannot be written into a playlist.",
                "Take a name of at most 255 bytes without quotes."),
            ("rendition/too-many", Never, "A stream has at most 16 renditions.",
                "Publish fewer renditions, or another stream."),
            ("repeat/count", Never, "A recording for `--file` has no segment, or more than 2048.",
                "Publish a shorter recording, or longer segments."),
            ("repeat/gap", Never, "A segment of the recording does not begin where the one before it ends.",
                "Encode the recording in one piece."),
        ],
    },
    Group {
        title: "A publisher's segments",
        about: "Why a segment was not signed and listed.",
        met: &[Command, Log],
        rows: &[
            ("segment/busy", Later, "Too many segments wait for the disk.",
                "Nothing; if it stays, the disk is too slow or full."),
            ("segment/duration", Never, "A segment lasts no time at all, or more than 60 seconds.",
                "Let the encoder write segments of two to four seconds."),
            ("segment/exhausted", Never, "Every number of this rendition is used.",
                "Begin a new stream."),
            ("segment/no-map", Never, "A fragmented MP4 segment came before its initialisation segment.",
                "Upload the initialisation segment first, as ffmpeg does."),
            ("segment/no-rendition", Never, "The segment is for a rendition that was never opened.",
                "Upload the rendition's playlist first."),
            ("segment/too-many-maps", Never, "The stream's description has no room for another initialisation segment.",
                "Change the encoder's settings less often, or begin a new stream."),
        ],
    },
    Group {
        title: "A publisher's keys",
        about: "Why a keyring is refused.",
        met: &[Command],
        rows: &[
            ("keyring/broken", Never, "The secret is not the last heir's, or an heir was not named by the key before it.",
                "Put back the whole folder from where you keep it; never mix keys of two copies."),
            ("keyring/malformed", Never, "The bytes are no keyring.",
                "Put back the whole folder from where you keep it."),
            ("keyring/too-many-heirs", Never, "The publisher has had as many keys as one can have.",
                "Begin a new stream with new keys, and tell listeners its key."),
        ],
    },
];

//! Where an address is, by files in MaxMind's format (GeoLite2-City, GeoLite2-ASN and what is made like them).

use crate::tracker::{Place, Position};
use maxminddb::{PathElement, Reader};
use serde::de::DeserializeOwned;
use std::{fmt, net::IpAddr, sync::Arc};

/// A geographic file, read whole.
#[derive(Clone)]
pub struct GeoFile(Arc<Reader<Vec<u8>>>);

impl fmt::Debug for GeoFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GeoFile").field(&self.0.metadata().database_type).finish()
    }
}

/// Reads a file that the command line names.
///
/// # Errors
/// A file that cannot be read, or is none of this format, in words for a person.
pub(super) fn open(path: &str) -> Result<GeoFile, String> {
    let reader = Reader::open_readfile(path).map_err(|error| error.to_string())?;
    Ok(GeoFile(Arc::new(reader)))
}

/// Returns what the files know of an address, made coarse at once; of two that know something, the first is believed.
pub(super) fn place(files: &[GeoFile], address: IpAddr) -> Place {
    let address = address.to_canonical();
    let position = |file: &GeoFile| {
        let latitude = file.read(address, ["location", "latitude"])?;
        Position::coarse(latitude, file.read(address, ["location", "longitude"])?)
    };
    let operator = |file: &GeoFile| {
        let bare = file.read(address, ["autonomous_system_number"]);
        bare.or_else(|| file.read(address, ["traits", "autonomous_system_number"]))
    };
    Place { position: files.iter().find_map(position), operator: files.iter().find_map(operator) }
}

impl GeoFile {
    /// Reads one value. What the file has not, or has in another form, is unknown.
    fn read<T: DeserializeOwned, const N: usize>(
        &self,
        address: IpAddr,
        path: [&str; N],
    ) -> Option<T> {
        let found = self.0.lookup(address).ok()?;
        found.decode_path(&path.map(PathElement::Key)).ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_and_operator_are_read_and_made_coarse() {
        let folder = tempfile::tempdir().unwrap();
        let city = file(&folder, "city", &double_map("location", 52.52, 13.405));
        let asn = file(&folder, "asn", &map(&[("autonomous_system_number", uint(64_500))]));
        let files = [open(&city).unwrap(), open(&asn).unwrap()];
        let berlin = Place { position: Position::coarse(53.0, 13.0), operator: Some(64_500) };
        // The files know 128.0.0.0/1 and nothing else.
        assert_eq!(place(&files, "192.0.2.1".parse().unwrap()), berlin);
        assert_eq!(place(&files, "::ffff:192.0.2.1".parse().unwrap()), berlin);
        assert_eq!(place(&files, "10.0.0.1".parse().unwrap()), Place::default());
        assert_eq!(place(&files, "2001:db8::1".parse().unwrap()), Place::default());
        assert_eq!(place(&[], "192.0.2.1".parse().unwrap()), Place::default());
    }

    #[test]
    fn what_is_no_position_is_unknown_and_what_is_no_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let address = "192.0.2.1".parse().unwrap();
        for data in [
            double_map("location", 91.0, 0.0),
            double_map("location", f64::NAN, 0.0),
            map(&[("location", uint(7))]),
            map(&[("autonomous_system_number", text("one"))]),
        ] {
            let odd = open(&file(&folder, "odd", &data)).unwrap();
            assert_eq!(place(&[odd], address), Place::default());
        }
        let junk = folder.path().join("junk");
        std::fs::write(&junk, [7; 100]).unwrap();
        assert!(open(junk.to_str().unwrap()).is_err());
        assert!(open("/nowhere/at/all").is_err());
    }

    /// Writes a file of the format with one node: nothing for 0.0.0.0/1, `data` for 128.0.0.0/1.
    /// Source: MaxMind DB File Format Specification 2.0.
    fn file(folder: &tempfile::TempDir, name: &str, data: &[u8]) -> String {
        let mut bytes = vec![0, 0, 1, 0, 0, 1 + 16];
        bytes.extend([0; 16]);
        bytes.extend(data);
        bytes.extend(b"\xab\xcd\xefMaxMind.com");
        bytes.extend(map(&[
            ("binary_format_major_version", vec![0xa1, 2]),
            ("binary_format_minor_version", vec![0xa0]),
            ("build_epoch", vec![0x01, 2, 1]),
            ("database_type", text(name)),
            ("description", map(&[])),
            ("ip_version", vec![0xa1, 4]),
            ("languages", vec![0x00, 4]),
            ("node_count", vec![0xc1, 1]),
            ("record_size", vec![0xa1, 24]),
        ]));
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn text(text: &str) -> Vec<u8> {
        let length = u8::try_from(text.len()).unwrap();
        let head = if length < 29 { vec![0x40 | length] } else { vec![0x5d, length - 29] };
        [head, text.as_bytes().to_vec()].concat()
    }

    fn uint(value: u32) -> Vec<u8> {
        [&[0xc4][..], &value.to_be_bytes()].concat()
    }

    fn map(pairs: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let head = vec![0xe0 | u8::try_from(pairs.len()).unwrap()];
        let pairs = pairs.iter().flat_map(|(key, value)| [text(key), value.clone()]);
        std::iter::once(head).chain(pairs).flatten().collect()
    }

    fn double_map(name: &str, latitude: f64, longitude: f64) -> Vec<u8> {
        let double = |value: f64| [&[0x68][..], &value.to_be_bytes()].concat();
        map(&[(name, map(&[("latitude", double(latitude)), ("longitude", double(longitude))]))])
    }
}

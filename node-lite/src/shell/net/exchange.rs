//! What two neighbours say to each other alone: a message of the machine, or where other nodes are.
//!
//! ```text
//! question  0 | length u32 LE | message       answer  0
//! question  1                                 answer  1 | ms since 1970 u64 LE | count u8 | count × (length u16 LE | multiaddress)
//! ```
//!
//! Every length is checked before anything is read, and memory grows with the bytes that arrive, not with what is claimed.

use crate::bft::message::MAX_MESSAGE;
use libp2p::{
    Multiaddr, StreamProtocol,
    futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    request_response::Codec,
};
use std::io;

/// Most addresses in one answer. Chosen here.
pub(super) const MAX_PEERS: usize = 16;
/// Longest address in bytes. Chosen here: an IPv6 address with port and peer id has about 70.
const MAX_ADDRESS: usize = 128;

/// What one asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// Takes this message; the answer only says that it arrived.
    Message(Vec<u8>),
    /// Where are others?
    Peers,
}

/// What the other answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The message arrived.
    Taken,
    /// Its clock, and other nodes with their addresses.
    Peers(u64, Vec<Multiaddr>),
}

/// Reads and writes questions and answers.
#[derive(Clone, Debug, Default)]
pub(super) struct Wire;

fn refused(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

async fn read<const N: usize>(io: &mut (impl AsyncRead + Unpin + Send)) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    io.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn read_bytes(
    io: &mut (impl AsyncRead + Unpin + Send),
    length: usize,
    max: usize,
) -> io::Result<Vec<u8>> {
    if length > max {
        return Err(refused("longer than allowed"));
    }
    let mut bytes = Vec::new();
    let mut source = io.take(u64::try_from(length).unwrap_or(u64::MAX));
    source.read_to_end(&mut bytes).await?;
    if bytes.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

async fn question(io: &mut (impl AsyncRead + Unpin + Send)) -> io::Result<Question> {
    match read::<1>(io).await? {
        [0] => {
            let length = u32::from_le_bytes(read(io).await?);
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            read_bytes(io, length, MAX_MESSAGE).await.map(Question::Message)
        }
        [1] => Ok(Question::Peers),
        _ => Err(refused("no such question")),
    }
}

async fn answer(io: &mut (impl AsyncRead + Unpin + Send)) -> io::Result<Answer> {
    match read::<1>(io).await? {
        [0] => Ok(Answer::Taken),
        [1] => {
            let now = u64::from_le_bytes(read(io).await?);
            let [count] = read::<1>(io).await?;
            if usize::from(count) > MAX_PEERS {
                return Err(refused("more addresses than allowed"));
            }
            let mut peers = Vec::new();
            for _ in 0..count {
                let length = usize::from(u16::from_le_bytes(read(io).await?));
                let bytes = read_bytes(io, length, MAX_ADDRESS).await?;
                peers.push(Multiaddr::try_from(bytes).map_err(|_| refused("no multiaddress"))?);
            }
            Ok(Answer::Peers(now, peers))
        }
        _ => Err(refused("no such answer")),
    }
}

fn encode_question(question: &Question) -> Vec<u8> {
    match question {
        Question::Message(bytes) => {
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            [&[0], &length.to_le_bytes()[..], bytes].concat()
        }
        Question::Peers => vec![1],
    }
}

fn encode_answer(answer: &Answer) -> Vec<u8> {
    let Answer::Peers(now, peers) = answer else { return vec![0] };
    let fit: Vec<_> = peers
        .iter()
        .map(|address| address.to_vec())
        .filter(|bytes| bytes.len() <= MAX_ADDRESS)
        .take(MAX_PEERS)
        .collect();
    let mut bytes = vec![1];
    bytes.extend(now.to_le_bytes());
    bytes.extend(u8::try_from(fit.len()));
    for address in fit {
        bytes.extend(u16::try_from(address.len()).unwrap_or(u16::MAX).to_le_bytes());
        bytes.extend(address);
    }
    bytes
}

#[async_trait::async_trait]
impl Codec for Wire {
    type Protocol = StreamProtocol;
    type Request = Question;
    type Response = Answer;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Question>
    where
        T: AsyncRead + Unpin + Send,
    {
        question(io).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Answer>
    where
        T: AsyncRead + Unpin + Send,
    {
        answer(io).await
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        question: Question,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&encode_question(&question)).await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        answer: Answer,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&encode_answer(&answer)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use libp2p::futures::{executor::block_on, io::Cursor};

    fn ask(bytes: &[u8]) -> io::Result<Question> {
        block_on(question(&mut Cursor::new(bytes)))
    }

    fn hear(bytes: &[u8]) -> io::Result<Answer> {
        block_on(answer(&mut Cursor::new(bytes)))
    }

    fn kind<T>(result: io::Result<T>) -> Option<io::ErrorKind> {
        result.err().map(|error| error.kind())
    }

    #[test]
    fn questions_and_answers_come_back_and_no_prefix_of_one_is_another() {
        for what in [Question::Peers, Question::Message(vec![]), Question::Message(vec![7; 300])] {
            let bytes = encode_question(&what);
            assert_eq!(ask(&bytes).unwrap(), what);
            for cut in 0..bytes.len() {
                assert_eq!(kind(ask(&bytes[..cut])), Some(io::ErrorKind::UnexpectedEof));
            }
        }
        let address: Multiaddr = "/ip4/10.0.0.1/udp/4600/quic-v1".parse().unwrap();
        for what in [Answer::Taken, Answer::Peers(9, vec![]), Answer::Peers(9, vec![address; 16])] {
            let bytes = encode_answer(&what);
            assert_eq!(hear(&bytes).unwrap(), what);
            for cut in 0..bytes.len() {
                assert_eq!(kind(hear(&bytes[..cut])), Some(io::ErrorKind::UnexpectedEof));
            }
        }
    }

    #[test]
    fn what_is_over_its_bound_is_refused_before_it_is_read() {
        let invalid = Some(io::ErrorKind::InvalidData);
        let length = u32::try_from(MAX_MESSAGE + 1).unwrap();
        assert_eq!(kind(ask(&[&[0], &length.to_le_bytes()[..]].concat())), invalid);
        assert_eq!(kind(ask(&[2])), invalid);
        assert_eq!(kind(hear(&[2])), invalid);
        assert_eq!(kind(hear(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 17])), invalid);
        assert_eq!(kind(hear(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 129, 0])), invalid);
        assert_eq!(kind(hear(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 255])), invalid);
    }

    #[test]
    fn more_addresses_than_fit_are_left_out() {
        let address: Multiaddr = "/ip4/10.0.0.1/tcp/1".parse().unwrap();
        let bytes = encode_answer(&Answer::Peers(0, vec![address; 40]));
        assert!(matches!(hear(&bytes), Ok(Answer::Peers(0, peers)) if peers.len() == MAX_PEERS));
    }
}

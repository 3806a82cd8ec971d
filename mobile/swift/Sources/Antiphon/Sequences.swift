extension AntiphonError: CustomStringConvertible {}

/// Every event from the moment when it was made. A slow reader gets `lagged` instead of what it missed.
public struct AntiphonEvents: AsyncSequence {
    let client: Antiphon

    public func makeAsyncIterator() -> Iterator { Iterator(stream: client.events()) }

    public struct Iterator: AsyncIteratorProtocol {
        let stream: EventStream

        public mutating func next() async -> AntiphonEvent? {
            let stream = self.stream
            return await withTaskCancellationHandler { await stream.next() } onCancel: { stream.cancel() }
        }
    }
}

/// Each change of a call that moves money, until it is handled: when the next one is asked for, this one is. Ends when the task is cancelled.
public struct MoneyEvents: AsyncSequence {
    let client: Antiphon

    public func makeAsyncIterator() -> Iterator { Iterator(client: client, stream: client.money()) }

    public struct Iterator: AsyncIteratorProtocol {
        let client: Antiphon
        let stream: MoneyStream
        var last: UInt64?

        init(client: Antiphon, stream: MoneyStream) { (self.client, self.stream) = (client, stream) }

        public mutating func next() async throws -> MoneyEvent? {
            if let last { try await client.eventHandled(id: last) }
            let stream = self.stream
            let event = try await withTaskCancellationHandler { try await stream.next() } onCancel: { stream.cancel() }
            last = event?.id
            return event
        }
    }
}

extension Antiphon {
    /// Every event from the moment when it is iterated.
    public var eventSequence: AntiphonEvents { AntiphonEvents(client: self) }
    /// Each change of a call that moves money, until it is handled.
    public var moneySequence: MoneyEvents { MoneyEvents(client: self) }
}

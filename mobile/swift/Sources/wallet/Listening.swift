import Antiphon

/// A listener without a player: it joins a stream, carries it for others, and is paid.
extension Antiphon {
    /// Joins a stream, and returns it when the first of it is here.
    func hear(_ url: String) async throws -> StreamView {
        try await listen(playlist: url)
        return try await until { $0.delivery.cached > 0 ? $0.stream : nil }
    }

    /// Waits until the pool that pays has promised something to who carries the stream.
    func promise() async throws {
        _ = try await until { shown in shown.wallet.pool.flatMap { $0.promised == "0" ? nil : $0 } }
    }

    /// Waits for vouchers, settles them, and waits for the chain to say so.
    func earn() async throws {
        _ = try await until { $0.wallet.vouchersIn == "0" ? nil : true }
        try await settle()
        _ = try await until { shown in shown.wallet.settlements.first { $0.level != nil } }
    }
}

import Antiphon
import Foundation

/// Words that are kept, and the client of their account.
struct Wallet {
    let store: SecretStore
    let options: ConnectOptions
    var client: Antiphon?

    /// Makes words, keeps them, and returns the address of their first account.
    func create() throws -> Address { try keep(Words.generate()) }

    func restore(_ text: String) throws -> Address { try keep(Words.restore(text: Data(text.utf8))) }

    private func keep(_ words: Words) throws -> Address {
        try words.save(store: store, name: "main")
        return try words.account(index: 0).address()
    }

    /// Starts a client of the account, and waits for what the chain proves of it.
    mutating func open() async throws {
        let account = try Words.load(store: store, name: "main").account(index: 0)
        let client = try await connect(options: options, account: account)
        self.client = client
        _ = try await client.until { $0.wallet.account }
    }
}

extension Antiphon {
    /// Waits for something in what a client shows.
    func until<T>(_ ready: (Snapshot) -> T?) async throws -> T {
        while true {
            if let found = ready(snapshot()) { return found }
            try await Task.sleep(nanoseconds: 100_000_000)
        }
    }

    /// Asks for play money, and returns what there is then.
    func receive() async throws -> Amount {
        try await askFaucet()
        return try await until { shown in
            guard let balance = shown.wallet.account?.balance.value, balance != "0" else { return nil }
            return balance
        }
    }

    func finalBalance() async throws -> Amount {
        let address = try await until { $0.wallet.address }
        return try await findAccount(address: address, level: .final).operational
    }

    /// Pays once, however often it is called with this key.
    func send(_ key: String, to: Address, amount: String) async throws -> CallView {
        try await transfer(key: key, to: to, amount: parseAmount(text: amount), token: .operational)
    }

    /// Gives up as soon as it is asked; the call itself goes on.
    func giveUp(_ key: String, to: Address, amount: String) async {
        let call = Task { try await send(key, to: to, amount: amount) }
        await Task.yield()
        call.cancel()
        _ = await call.result
    }

    /// Waits until a call is so far, and returns nil, or the code of what it failed with.
    func reach(_ key: String, stage: String) async throws -> String? {
        let order: [CallStage] = [.asked, .pending, .included, .committed, .settled, .final, .failed]
        let reached = order.drop { "\($0)" != stage }
        while true {
            let call = try await call(key: key)
            if call.code != nil || reached.contains(call.stage) { return call.code }
            try await Task.sleep(nanoseconds: 100_000_000)
        }
    }

    /// Reads what becomes of calls until this one is final.
    func hear(of key: String) async throws {
        for try await event in moneySequence where event.call.key == key && event.call.stage == .final { return }
    }

    /// Waits until the chain shows that somebody has sent something, and returns how much; nil if the task is cancelled.
    func came(from payer: Address) async throws -> Amount? {
        for try await event in moneySequence where event.call.kind == .received && event.call.payer == payer { return event.call.amount }
        return nil
    }

    /// Waits for a gift that is so far.
    func gift(at stage: String) async throws -> GiftView {
        let reached = ([.sure, .settled, .final] as [GiftStage]).drop { "\($0)" != stage }
        return try await until { shown in shown.gifts.first { reached.contains($0.stage) } }
    }
}

// A wallet for the command line: `FOLDER NODE CHAIN [TRACKER]`, then one command a line.

import Antiphon
import Foundation

/// Keeps secrets in files that only their owner reads. A device has something better: `KeychainStore`.
final class FileStore: SecretStore {
    let folder: String

    init(folder: String) { self.folder = folder }

    private func path(_ name: String) -> String { "\(folder)/\(name).secret" }

    func get(name: String) throws -> Data? { FileManager.default.contents(atPath: path(name)) }

    func put(name: String, secret: Data) throws {
        let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
        guard FileManager.default.createFile(atPath: path(name), contents: secret, attributes: attributes) else {
            throw AntiphonError.Foreign
        }
    }

    func delete(name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }
}

let stages: [String: CallStage] = ["committed": .committed, "settled": .settled, "final": .final]
let order: [CallStage] = [.asked, .pending, .included, .committed, .settled, .final, .failed]

struct Wallet {
    let store: FileStore
    let options: ConnectOptions
    var client: Antiphon!

    init(_ words: [String]) {
        store = FileStore(folder: words[0])
        let tracker = words.count > 3 ? words[3] : nil
        options = ConnectOptions(node: words[1], chain: words[2], folder: words[0], tracker: tracker)
    }

    mutating func answer(_ words: [String]) async throws -> String {
        switch words[0] {
        case "create": return try keep(Words.generate())
        case "restore": return try keep(Words.restore(text: Data(words.dropFirst().joined(separator: " ").utf8)))
        case "open":
            client = try await connect(options: options, account: Words.load(store: store, name: "main").account(index: 0))
            _ = try await until { $0.wallet.account }
            return "open"
        case "faucet":
            try await client.askFaucet()
            let value = try await until { shown in shown.wallet.account.flatMap { $0.balance.value == "0" ? nil : $0.balance.value } }
            return "balance \(formatAmount(units: value))"
        case "balance":
            let address = client.snapshot().wallet.address ?? ""
            return "final \(formatAmount(units: try await client.findAccount(address: address, level: .final).operational))"
        case "send":
            let amount = try parseAmount(text: words[3])
            return call(try await client.transfer(key: words[1], to: words[2], amount: amount, token: .operational))
        case "cancel":
            let (client, amount) = (client!, try parseAmount(text: words[3]))
            let call = Task { try await client.transfer(key: words[1], to: words[2], amount: amount, token: .operational) }
            await Task.yield()
            call.cancel()
            _ = await call.result
            return "cancelled"
        case "wait":
            let wanted = order.firstIndex(of: stages[words[2]] ?? .failed)!
            while true {
                let call = try await client.call(key: words[1])
                if let code = call.code { return "\(words[1]) failed \(code)" }
                if order.firstIndex(of: call.stage)! >= wanted { return "\(words[1]) \(words[2])" }
                try await Task.sleep(nanoseconds: 100_000_000)
            }
        case "events":
            for try await event in client.moneySequence where event.call.key == words[1] && event.call.stage == .final { break }
            return "told \(words[1]) final"
        case "give":
            let amount = try parseAmount(text: words[3])
            return call(try await client.give(key: words[1], to: words[2], amount: amount, purpose: words[4]))
        case "gift":
            let gift = try await until { shown in shown.gifts.first { "\($0.stage)" == words[1] } }
            return "gift \(formatAmount(units: gift.amount)) \(gift.purpose)"
        case "listen":
            try await client.listen(playlist: words[1])
            return "stream \(try await until { $0.delivery.cached > 0 ? $0.stream : nil }.name)"
        case "pool": return call(try await client.openPool(key: words[1], deposit: parseAmount(text: words[2])))
        case "earn":
            _ = try await until { $0.wallet.vouchersIn == "0" ? nil : true }
            try await client.settle()
            _ = try await until { shown in shown.wallet.settlements.first { $0.level != nil } }
            return "earned"
        case "room":
            try await client.enterRoom(name: words[1])
            return "around \(try await until { $0.around.isEmpty ? nil : $0.around }.count)"
        case "propose":
            try await client.proposeField(others: client.snapshot().around.map(\.peer), deposit: parseAmount(text: words[1]))
            return "proposed"
        case "accept":
            try await client.acceptField(field: field(.invited).field)
            return "accepted"
        case "pay":
            let (field, me) = (try await field(.open), client.snapshot().wallet.address)
            let other = field.members.first { $0.address != me }!.address
            let amount = try parseAmount(text: words[2])
            return call(try await client.payMember(key: words[1], field: field.field, payee: other, amount: amount))
        case "release":
            try await client.release()
            return "released"
        case "close":
            try await client.shutDown()
            return "closed"
        case "suspend":
            try await client.suspend()
            return "suspended"
        case "resume":
            try await client.resume()
            return "resumed"
        default: return "unknown"
        }
    }

    private func keep(_ words: Words) throws -> String {
        try words.save(store: store, name: "main")
        return "address \(try words.account(index: 0).address())"
    }

    private func call(_ call: CallView) -> String { "call \(call.key)" }

    private func field(_ phase: FieldPhase) async throws -> FieldView {
        try await until { shown in shown.fields.first { $0.phase == phase } }
    }

    private func until<T>(_ ready: (Snapshot) -> T?) async throws -> T {
        while true {
            if let found = ready(client.snapshot()) { return found }
            try await Task.sleep(nanoseconds: 100_000_000)
        }
    }
}

@main
struct Program {
    static func main() async throws {
        var wallet = Wallet(Array(CommandLine.arguments.dropFirst()))
        while let line = readLine() {
            do {
                say(try await wallet.answer(line.split(separator: " ").map(String.init)))
            } catch let error as AntiphonError {
                say("error \(error.code())")
            }
        }
        if let client = wallet.client { try await client.shutDown() }
    }

    /// At once, whoever listens.
    private static func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
}

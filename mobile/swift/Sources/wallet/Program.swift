// A wallet for the command line: `FOLDER NODE CHAIN [TRACKER]`, then one command a line.

import Antiphon
import Foundation

@main
struct Program {
    static func main() async throws {
        let words = Array(CommandLine.arguments.dropFirst())
        let tracker = words.count > 3 ? words[3] : nil
        let options = ConnectOptions(node: words[1], chain: words[2], folder: words[0], tracker: tracker)
        var wallet = Wallet(store: FileStore(folder: words[0]), options: options)
        while let line = readLine() {
            do {
                say(try await answer(&wallet, line.split(separator: " ").map(String.init)))
            } catch let error as AntiphonError {
                say("error \(error.code())")
            }
        }
        try await wallet.client?.shutDown()
    }

    /// At once, whoever listens.
    private static func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

    /// Does what a line says.
    private static func answer(_ wallet: inout Wallet, _ words: [String]) async throws -> String {
        switch words[0] {
        case "create": return "address \(try wallet.create())"
        case "restore": return "address \(try wallet.restore(words.dropFirst().joined(separator: " ")))"
        case "open":
            try await wallet.open()
            return "open"
        default:
            guard let client = wallet.client else { return "open it first" }
            return try await ask(client, words)
        }
    }

    /// Does what takes an open client.
    private static func ask(_ client: Antiphon, _ words: [String]) async throws -> String {
        switch words[0] {
        case "faucet": return "balance \(formatAmount(units: try await client.receive()))"
        case "balance": return "final \(formatAmount(units: try await client.finalBalance()))"
        case "came": return "came \(formatAmount(units: try await client.came(from: words[1]) ?? "0"))"
        case "send": return called(try await client.send(words[1], to: words[2], amount: words[3]))
        case "cancel":
            await client.giveUp(words[1], to: words[2], amount: words[3])
            return "cancelled"
        case "wait":
            let code = try await client.reach(words[1], stage: words[2])
            return "\(words[1]) \(code.map { "failed \($0)" } ?? words[2])"
        case "events":
            try await client.hear(of: words[1])
            return "told \(words[1]) final"
        case "give":
            let amount = try parseAmount(text: words[3])
            return called(try await client.give(key: words[1], to: words[2], amount: amount, purpose: words[4]))
        case "gift":
            let gift = try await client.gift(at: words[1])
            return "gift \(formatAmount(units: gift.amount)) \(gift.purpose)"
        case "listen": return "stream \(try await client.hear(words[1]).name)"
        case "pool": return called(try await client.openPool(key: words[1], deposit: parseAmount(text: words[2])))
        case "earn": return try await done("earned") { try await client.earn() }
        case "promise": return try await done("promised") { try await client.promise() }
        case "room": return "around \(try await client.enter(words[1]))"
        case "propose": return try await done("proposed") { try await client.propose(deposit: parseAmount(text: words[1])) }
        case "accept": return try await done("accepted") { try await client.accept() }
        case "pay": return called(try await client.pay(words[1], amount: parseAmount(text: words[2])))
        case "backup": return "backup \(try await client.backupWord())"
        case "take": return try await done("taken") { try await client.take(words[1]) }
        case "locked": return (["locked"] + client.locked()).joined(separator: " ")
        case "find": return try await client.find()
        case "release": return try await done("released") { try await client.release() }
        case "close": return try await done("closed") { try await client.shutDown() }
        case "suspend": return try await done("suspended") { try await client.suspend() }
        case "resume": return try await done("resumed") { try await client.resume() }
        default: return "unknown"
        }
    }

    private static func done(_ word: String, _ work: () async throws -> Void) async throws -> String {
        try await work()
        return word
    }

    private static func called(_ call: CallView) -> String { "call \(call.key)" }
}

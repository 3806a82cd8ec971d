import Antiphon
import Foundation
import Screen
import XCTest

/// What the screen shows, against a network of its own.
final class WalletModelTests: XCTestCase {
    func testWhatIsSentOnceIsShownUntilItIsFinal() async throws { try await Self.story() }

    @MainActor
    private static func story() async throws {
        let node = try Node()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        let options = ConnectOptions(node: node.base, chain: node.chain, folder: folder)
        let client = try await connect(options: options, account: Words.generate().account(index: 0))
        let model = WalletModel(client: client)
        let following = Task { await model.follow() }
        try await until("it is ready") { model.shown.proof.contains("at block") }
        try await client.askFaucet()
        try await until("the faucet's money is there") { model.shown.balance == "100" }

        await model.send(to: node.faucet, amount: "much")
        XCTAssertEqual(model.shown.help, helpFor(code: "amount/not-decimal"))
        XCTAssertEqual(model.shown.calls, [])

        let key = model.shown.key
        await model.send(to: " \(node.faucet) ", amount: "2.5")
        XCTAssertNil(model.shown.help)
        XCTAssertNotEqual(model.shown.key, key, "the next one is another payment")
        XCTAssertEqual(model.shown.calls.map(\.key), [key])

        // Asleep and awake again, it still hears what becomes of it.
        try await client.suspend()
        try await client.resume()
        try await until("it is final") { model.shown.calls.first?.stage == .final }
        XCTAssertEqual(model.shown.calls.count, 1)

        // A screen that goes away lets go of the client, which lives on.
        let other = Task { await model.follow() }
        try await Task.sleep(nanoseconds: 100_000_000)
        other.cancel()
        await other.value

        try await client.shutDown()
        await following.value
    }

    @MainActor
    private static func until(_ what: String, _ ready: () -> Bool) async throws {
        for _ in 0..<600 {
            if ready() { return }
            try await Task.sleep(nanoseconds: 100_000_000)
        }
        XCTFail("not in time: \(what)")
        throw CancellationError()
    }
}

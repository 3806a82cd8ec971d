import Antiphon
import Foundation
import Screen
import XCTest

/// What the screen shows, against a network of its own.
@available(iOS 17, macOS 14, *)
@MainActor
final class WalletModelTests: XCTestCase {
    func testWhatIsSentOnceIsShownUntilItIsFinal() async throws {
        let node = try Node()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        let options = ConnectOptions(node: node.base, chain: node.chain, folder: folder)
        let client = try await connect(options: options, account: Words.generate().account(index: 0))
        let model = WalletModel(client: client)
        let following = Task { await model.follow() }
        try await until("it is ready") { model.proof.contains("at block") }
        try await client.askFaucet()
        try await until("the faucet's money is there") { model.balance == "100" }

        await model.send(to: node.faucet, amount: "much")
        XCTAssertEqual(model.help, helpFor(code: "amount/not-decimal"))
        XCTAssertEqual(model.calls, [])

        let key = model.key
        await model.send(to: " \(node.faucet) ", amount: "2.5")
        XCTAssertNil(model.help)
        XCTAssertNotEqual(model.key, key, "the next one is another payment")
        XCTAssertEqual(model.calls.map(\.key), [key])

        // Asleep and awake again, it still hears what becomes of it.
        try await client.suspend()
        try await client.resume()
        try await until("it is final") { model.calls.first?.stage == .final }
        XCTAssertEqual(model.calls.count, 1)

        try await client.shutDown()
        await following.value
    }

    private func until(_ what: String, _ ready: () -> Bool) async throws {
        for _ in 0..<600 {
            if ready() { return }
            try await Task.sleep(nanoseconds: 100_000_000)
        }
        XCTFail("not in time: \(what)")
        throw CancellationError()
    }
}

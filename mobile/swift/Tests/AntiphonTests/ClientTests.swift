import Antiphon
import Foundation
import XCTest

private let words = "legal winner thank year wave sausage worth useful legal winner thank yellow"

/// What a Swift developer meets beside the scenario.
final class ClientTests: XCTestCase {
    private final class Locked: SecretStore {
        struct Surprise: Error { let secret = 42 }
        func get(name: String) throws -> Data? { throw Surprise() }
        func put(name: String, secret: Data) throws {}
        func delete(name: String) throws {}
    }

    func testEachMistakeHasItsCode() throws {
        assert("wallet/bad-word-count") { try restore("legal winner") }
        assert("wallet/unknown-word") { try restore(words.replacingOccurrences(of: "yellow", with: "yelow")) }
        assert("wallet/index-out-of-range") { try restore(words).account(index: .max) }
        assert("amount/too-precise") { try parseAmount(text: "0.123456789") }
        assert("secret/failed") { try Words.load(store: Locked(), name: "main") }
        XCTAssertEqual(try parseAmount(text: "12.5"), "1250000000")
    }

    func testAnErrorSaysWhatToDo() {
        XCTAssertThrowsError(try restore("legal")) { error in
            XCTAssertEqual("\(error)", "wallet/bad-word-count: A wallet has 12 or 24 words.")
        }
    }

    func testAClientThatReachesNobodySaysSoSleepsAndEnds() async throws {
        let folder = NSTemporaryDirectory() + UUID().uuidString
        let options = ConnectOptions(node: "http://127.0.0.1:1", chain: String(repeating: "07", count: 32), folder: folder)
        let client = try await connect(options: options, account: restore(words).account(index: 0))
        try await client.suspend()
        var events = client.eventSequence.makeAsyncIterator()
        try await client.resume()
        var trouble: String?
        while trouble == nil, let event = await events.next() {
            if case .trouble(let code) = event { trouble = code }
        }
        XCTAssertEqual(trouble, "node/unreachable")
        let calls = try await client.calls()
        XCTAssertEqual(calls, [])
        try await client.shutDown()
        do {
            try await client.resume()
            XCTFail("it is closed")
        } catch let error as AntiphonError {
            XCTAssertEqual(error.code(), "client/closed")
        }
    }

    private func restore(_ text: String) throws -> Words { try Words.restore(text: Data(text.utf8)) }

    private func assert<T>(_ code: String, _ make: () throws -> T) {
        XCTAssertThrowsError(try make()) { error in XCTAssertEqual((error as? AntiphonError)?.code(), code) }
    }
}

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

    private struct NotInTime: Error {}

    func testEachMistakeHasItsCode() throws {
        assert("wallet/bad-word-count") { try restore("legal winner") }
        assert("wallet/bad-checksum") { try restore(words.replacingOccurrences(of: "yellow", with: "winner")) }
        assert("wallet/unknown-word") { try restore(words.replacingOccurrences(of: "yellow", with: "yelow")) }
        assert("wallet/index-out-of-range") { try restore(words).account(index: .max) }
        assert("amount/not-decimal") { try parseAmount(text: "-1") }
        assert("amount/too-precise") { try parseAmount(text: "0.123456789") }
        assert("amount/out-of-range") { try parseAmount(text: "3402823669209384634633746074317.68211456") }
        assert("secret/failed") { try Words.load(store: Locked(), name: "main") }
        XCTAssertEqual(try parseAmount(text: "12.5"), "1250000000")
    }

    func testAnErrorSaysWhatToDo() {
        XCTAssertThrowsError(try restore("legal")) { error in
            XCTAssertEqual("\(error)", "wallet/bad-word-count: A wallet has 12 or 24 words.")
        }
    }

    func testAClientThatReachesNobodySaysSoSleepsAndEnds() async throws {
        let client = try await alone()
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
        await refuses("client/closed") { try await client.resume() }
    }

    func testACallThatIsCancelledEndsAndLeavesTheClientUsable() async throws {
        let client = try await alone()
        let ended = expectation(description: "who waits for money ends")
        let waiting = Task {
            for try await _ in client.moneySequence { XCTFail("nothing has moved") }
            ended.fulfill()
        }
        try await Task.sleep(nanoseconds: 100_000_000)
        waiting.cancel()
        await fulfillment(of: [ended], timeout: 30)
        let calls = try await client.calls()
        XCTAssertEqual(calls, [])
        for amount in ["-1", "340282366920938463463374607431768211456", "1.5"] {
            await refuses("options/invalid") { _ = try await client.openPool(key: "key", deposit: amount) }
        }
        try await client.shutDown()
    }

    func testWhatIsNoBackupIsRefusedAndOfAClosedClientNothingIsToBeHad() async throws {
        let client = try await alone()
        let kind = Data("antiphon backup".utf8)
        await refuses("backup/not-backup") { _ = try await client.restoreBackup(file: Data("nothing".utf8)) }
        await refuses("backup/newer") { _ = try await client.restoreBackup(file: kind + [2]) }
        await refuses("backup/damaged") { _ = try await client.restoreBackup(file: kind + [1]) }
        await refuses("backup/too-large") { _ = try await client.backup(notes: Data(count: 200_000)) }
        // Whose chain nobody has proven yet.
        await refuses("lookup/not-ready") { _ = try await client.findOwnPools() }
        await refuses("client/not-ready") { try await client.release() }

        let notes = Data("where the letters lie".utf8)
        let file = try await client.backup(notes: notes)
        for _ in ["once", "the same twice"] {
            let kept = try await client.restoreBackup(file: file)
            XCTAssertEqual(kept, notes)
        }
        let other = try await alone(1)
        await refuses("backup/other-account") { _ = try await other.restoreBackup(file: file) }
        try await other.shutDown()

        try await client.shutDown()
        await refuses("client/closed") { _ = try await client.backup(notes: notes) }
        await refuses("client/closed") { _ = try await client.restoreBackup(file: file) }
        await refuses("client/closed") { _ = try await client.findOwnPools() }
        await refuses("client/closed") { try await client.release() }
    }

    func testItGivesWhatWasAgreedToAndSaysWhyNotMore() async throws {
        let client = try await alone()
        let cases: [(UploadTerms, SharingReason)] = [
            (UploadTerms(monthly: 1 << 20), .agreed), (UploadTerms(monthly: 1), .spent), (UploadTerms(isEnabled: false), .declined),
        ]
        for (terms, why) in cases {
            try await client.setUpload(terms: terms)
            let sharing = try await shared(client) { $0.why == why && $0.monthly == terms.monthly }
            XCTAssertEqual(sharing.isOn, why == .agreed)
            XCTAssertEqual(sharing.monthBytes, 0)
        }
        try await client.setUpload(terms: UploadTerms())
        try await client.setSurroundings(around: Surroundings(isMetered: true))
        _ = try await shared(client) { $0.why == .metered }
        try await client.shutDown()
    }

    func testAPlayerIsToldWhatNobodyKnowsAndLetGo() async throws {
        let client = try await alone()
        let media = client.media()
        await refuses("fetch/unknown-segment") { _ = try await media.segment(sequence: 7, bufferedMs: 1000) }
        media.cancel()
        let segment = try await media.segment(sequence: 7, bufferedMs: 1000)
        XCTAssertNil(segment)
        let checked = try await media.check(sequence: 7, bytes: Data(count: 1))
        XCTAssertNil(checked)
        try await client.shutDown()
        await refuses("client/closed") { _ = try await client.media().segment(sequence: 7, bufferedMs: 1000) }
    }

    func testOptionsOutOfRangeAreNamed() async throws {
        for (field, change) in [
            ("max_peers", { $0.maxPeers = 0 }), ("max_peers", { $0.maxPeers = 101 }), ("relay_only", { $0.relayOnly = true }),
        ] as [(String, (inout ConnectOptions) -> Void)] {
            do {
                _ = try await alone(change: change)
                XCTFail("not refused: \(field)")
            } catch AntiphonError.Invalid(let named) {
                XCTAssertEqual(named, field)
            }
        }
    }

    /// Waits until what is given is shown so.
    private func shared(_ client: Antiphon, _ isSo: (SharingView) -> Bool) async throws -> SharingView {
        for _ in 0..<600 {
            let sharing = client.snapshot().sharing
            if isSo(sharing) { return sharing }
            try await Task.sleep(nanoseconds: 50_000_000)
        }
        throw NotInTime()
    }

    /// A client that reaches nobody.
    private func alone(_ account: UInt32 = 0, change: (inout ConnectOptions) -> Void = { _ in }) async throws -> Antiphon {
        let folder = NSTemporaryDirectory() + UUID().uuidString
        var options = ConnectOptions(node: "http://127.0.0.1:1", chain: String(repeating: "07", count: 32), folder: folder)
        change(&options)
        return try await connect(options: options, account: restore(words).account(index: account))
    }

    private func restore(_ text: String) throws -> Words { try Words.restore(text: Data(text.utf8)) }

    private func refuses(_ code: String, _ ask: () async throws -> Void) async {
        do {
            try await ask()
            XCTFail("not refused with \(code)")
        } catch {
            XCTAssertEqual((error as? AntiphonError)?.code(), code)
        }
    }

    private func assert<T>(_ code: String, _ make: () throws -> T) {
        XCTAssertThrowsError(try make()) { error in XCTAssertEqual((error as? AntiphonError)?.code(), code) }
    }
}

import Foundation
import XCTest

/// The shortest example against a network of its own: what the faucet of a development chain has is proven, from the chain's id alone.
final class BalanceTests: XCTestCase {
    func testABalanceIsProven() throws {
        let node = try Node()
        let (said, status) = try say(node.base, node.chain, node.faucet)
        // A node that is slow to start is told of before.
        XCTAssertNotNil(said.range(of: #"(^|\n)[1-9]\d* at block \d+, final\n$"#, options: .regularExpression), said)
        XCTAssertEqual(status, 0)
    }

    func testANodeThatDoesNotAnswerIsNamedWhileItIsWaitedFor() throws {
        let node = try Node()
        let (process, output) = try start("http://127.0.0.1:1", node.chain, node.faucet)
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        XCTAssertTrue(line.contains("node/unreachable: Check the URL"), line)
        XCTAssertTrue(process.isRunning)
        process.terminate()
        process.waitUntilExit()
    }

    func testWhatIsNoAddressIsNamed() throws {
        let node = try Node()
        let (said, status) = try say(node.base, node.chain, "A" + node.faucet.dropFirst().reversed())
        XCTAssertTrue(said.contains("address/bad-checksum"), said)
        XCTAssertNotEqual(status, 0)
    }

    /// Where programs and tests are built.
    private var products: URL {
        #if canImport(Darwin)
        Bundle(for: Self.self).bundleURL.deletingLastPathComponent()
        #else
        Bundle.main.bundleURL
        #endif
    }

    /// Runs the program, and returns what it said and ended with.
    private func say(_ words: String...) throws -> (String, Int32) {
        let (process, output) = try start(words)
        let said = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (String(decoding: said, as: UTF8.self), process.terminationStatus)
    }

    private func start(_ words: String...) throws -> (Process, Pipe) { try start(words) }

    private func start(_ words: [String]) throws -> (Process, Pipe) {
        let (process, output) = (Process(), Pipe())
        process.executableURL = products.appendingPathComponent("balance")
        process.arguments = words
        process.standardOutput = output
        process.standardError = output
        try process.run()
        return (process, output)
    }
}

import Foundation
import XCTest

/// A development chain of its own; `ANTIPHON` names the node's program, as `cargo xtask mobile swift` sets it.
final class Node {
    let base, chain, faucet: String
    private let process = Process()
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)

    init() throws {
        guard let program = ProcessInfo.processInfo.environment["ANTIPHON"] else { throw XCTSkip("ANTIPHON names no node") }
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["dev", "--block-time", "100ms", "--data", folder.path]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        var said = Data()
        while !said.contains(UInt8(ascii: "\n")) {
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { break }
            said += more
        }
        let ready = try XCTUnwrap(JSONSerialization.jsonObject(with: said) as? [String: Any])
        func told(_ name: String) throws -> String { try XCTUnwrap(ready[name] as? String) }
        (base, chain, faucet) = (try told("base"), try told("chain"), try told("faucet"))
    }

    deinit {
        process.terminate()
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }
}

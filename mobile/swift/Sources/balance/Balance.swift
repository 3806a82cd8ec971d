// A proven balance: `NODE CHAIN ADDRESS`. The chain's id is all that is trusted.

import Antiphon
import Foundation

func provenBalance(node: String, chain: String, address: String) async throws -> AccountFound {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    let options = ConnectOptions(node: node, chain: chain, folder: folder)
    let client = try await connect(options: options, account: Words.generate().account(index: 0))
    while true {
        do {
            let found = try await client.findAccount(address: address, level: .final)
            try await client.shutDown()
            return found
        } catch let error as AntiphonError where error.isRetryable() {
            // No head is proven yet: `lookup/not-ready`.
            for problem in client.snapshot().problems {
                FileHandle.standardError.write(Data("\(problem.code): \(helpFor(code: problem.code))\n".utf8))
            }
            try await Task.sleep(nanoseconds: 1_000_000_000)
        }
    }
}

@main
struct Program {
    static func main() async {
        let words = CommandLine.arguments
        do {
            let found = try await provenBalance(node: words[1], chain: words[2], address: words[3])
            print("\(formatAmount(units: found.operational)) at block \(found.proven.height), final")
        } catch {
            print(error)  // Its code, and what to do about it.
            exit(1)
        }
    }
}

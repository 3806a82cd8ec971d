// What words do not bring back, as a file that another device takes.

import Antiphon
import Foundation

extension Antiphon {
    /// Returns a backup as one word.
    func backupWord() async throws -> String { try await backup(notes: Data()).base64EncodedString() }

    /// Takes one that another device made.
    func take(_ file: String) async throws { _ = try await restoreBackup(file: Data(base64Encoded: file) ?? Data()) }

    /// Says of each pool why nothing is signed for it, if so.
    func locked() -> [String] { snapshot().wallet.locked.map { $0.freeze ?? "usable" }.sorted() }

    /// Looks for pools of a lost device, and says how many hold money, and whether there may be more.
    func find() async throws -> String {
        let found = try await findOwnPools()
        return "found \(found.pools.count)" + (found.isWhole ? "" : " or more")
    }
}

import Antiphon
import Foundation

/// Keeps secrets in files that only their owner reads. A device has something better: `KeychainStore`.
final class FileStore: SecretStore {
    private let folder: String

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

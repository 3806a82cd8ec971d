#if canImport(Security)
import Foundation
import Security

/// Keeps secrets in the Keychain of this device: none leaves it, and none is read before the first unlocking.
public final class KeychainStore: SecretStore {
    private let service: String

    public init(service: String) { self.service = service }

    public func get(name: String) throws -> Data? {
        var found: CFTypeRef?
        let query = item(name).merging([kSecReturnData: true, kSecMatchLimit: kSecMatchLimitOne]) { $1 }
        switch SecItemCopyMatching(query as CFDictionary, &found) {
        case errSecSuccess: return found as? Data
        case errSecItemNotFound: return nil
        default: throw AntiphonError.Foreign
        }
    }

    public func put(name: String, secret: Data) throws {
        let value: [CFString: Any] = [kSecValueData: secret]
        let changed = SecItemUpdate(item(name) as CFDictionary, value as CFDictionary)
        if changed == errSecSuccess { return }
        guard changed == errSecItemNotFound else { throw AntiphonError.Foreign }
        let access = [kSecAttrAccessible: kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly] as [CFString: Any]
        let added = SecItemAdd(item(name).merging(value) { $1 }.merging(access) { $1 } as CFDictionary, nil)
        guard added == errSecSuccess else { throw AntiphonError.Foreign }
    }

    public func delete(name: String) throws {
        let deleted = SecItemDelete(item(name) as CFDictionary)
        guard deleted == errSecSuccess || deleted == errSecItemNotFound else { throw AntiphonError.Foreign }
    }

    private func item(_ name: String) -> [CFString: Any] {
        [kSecClass: kSecClassGenericPassword, kSecAttrService: service, kSecAttrAccount: name]
    }
}
#endif

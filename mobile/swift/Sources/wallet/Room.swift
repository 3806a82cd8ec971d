import Antiphon

/// A payment field of those who are in one room.
extension Antiphon {
    /// Enters, and returns how many others are there.
    func enter(_ name: String) async throws -> Int {
        try await enterRoom(name: name)
        return try await until { $0.around.isEmpty ? nil : $0.around }.count
    }

    func propose(deposit: Amount) async throws {
        try await proposeField(others: snapshot().around.map(\.peer), deposit: deposit)
    }

    private func field(_ phase: FieldPhase) async throws -> FieldView {
        try await until { shown in shown.fields.first { $0.phase == phase } }
    }

    func accept() async throws { try await acceptField(field: field(.invited).field) }

    /// Pays somebody else in the field, once a key.
    func pay(_ key: String, amount: Amount) async throws -> CallView {
        let (field, me) = (try await field(.open), snapshot().wallet.address)
        let other = field.members.first { $0.address != me }!.address
        return try await payMember(key: key, field: field.field, payee: other, amount: amount)
    }
}

import Antiphon
import Foundation
#if canImport(Combine)
import Combine

extension WalletModel: ObservableObject {}
#endif

/// What a screen shows of a wallet, and what it can ask; knows nothing of a toolkit. `WalletScreen` draws it.
@MainActor
public final class WalletModel {
    public struct Shown: Equatable, Sendable {
        public var address: Address?
        public var balance = ""
        /// How far the balance is believed, and at which height.
        public var proof = ""
        /// The newest first.
        public var calls: [CallView] = []
        /// What to do about what went wrong last.
        public var help: String?
        /// Drawn when the form is opened, not when the button is pressed: who presses twice pays once.
        public var key = UUID().uuidString
    }

    #if canImport(Combine)
    @Published
    #endif
    public private(set) var shown = Shown()

    private let client: Antiphon

    public init(client: Antiphon) {
        self.client = client
    }

    /// Follows the client until its task is cancelled or the client ends. A screen calls it in `.task`.
    public func follow() async {
        async let money: Void = followMoney()
        // Listens before it looks, so that no change falls between.
        var events = client.eventSequence.makeAsyncIterator()
        show(client.snapshot())
        while let event = await events.next() {
            switch event {
            case .changed, .lagged: show(client.snapshot())
            default: break
            }
        }
        await money
    }

    public func send(to: String, amount: String) async {
        do {
            let units = try parseAmount(text: amount.trimmingCharacters(in: .whitespaces))
            let to = to.trimmingCharacters(in: .whitespaces)
            _ = try await client.transfer(key: shown.key, to: to, amount: units, token: .operational)
            // The next one is another payment.
            (shown.key, shown.help) = (UUID().uuidString, nil)
            try await list()
        } catch let error as AntiphonError {
            shown.help = error.text()
        } catch {
            shown.help = error.localizedDescription
        }
    }

    /// Lists calls, and again with each change of one; while the client sleeps, waits. Ends with it.
    private func followMoney() async {
        while !Task.isCancelled {
            do {
                try await list()
                for try await _ in client.moneySequence { try await list() }
            } catch let error as AntiphonError where error.isRetryable() {
                try? await Task.sleep(nanoseconds: 1_000_000_000)
            } catch {
                return
            }
        }
    }

    private func list() async throws { shown.calls = try await client.calls().reversed() }

    private func show(_ snapshot: Snapshot) {
        let proven = snapshot.wallet.account?.balance
        shown.address = snapshot.wallet.address
        shown.balance = formatAmount(units: proven?.value ?? "0")
        shown.proof = proven.map { "\($0.level) at block \($0.height)" } ?? "not proven yet"
    }
}

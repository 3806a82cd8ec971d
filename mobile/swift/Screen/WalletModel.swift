import Antiphon
import Foundation
import Observation

/// What a screen shows of a wallet, and what it can ask; knows nothing of a toolkit. `WalletScreen` draws it.
@available(iOS 17, macOS 14, *)
@MainActor @Observable
public final class WalletModel {
    public private(set) var address: Address?
    public private(set) var balance = ""
    /// How far the balance is believed, and at which height.
    public private(set) var proof = ""
    /// The newest first.
    public private(set) var calls: [CallView] = []
    /// What to do about what went wrong last.
    public private(set) var help: String?
    /// Drawn when the form is opened, not when the button is pressed: who presses twice pays once.
    public private(set) var key = UUID().uuidString

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
            _ = try await client.transfer(key: key, to: to, amount: units, token: .operational)
            // The next one is another payment.
            (key, help) = (UUID().uuidString, nil)
            try await list()
        } catch let error as AntiphonError {
            help = error.text()
        } catch {
            help = error.localizedDescription
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

    private func list() async throws { calls = try await client.calls().reversed() }

    private func show(_ snapshot: Snapshot) {
        let proven = snapshot.wallet.account?.balance
        address = snapshot.wallet.address
        balance = formatAmount(units: proven?.value ?? "0")
        proof = proven.map { "\($0.level) at block \($0.height)" } ?? "not proven yet"
    }
}

import Antiphon
import SwiftUI

/// The wallet on one screen: what it has, how that is proven, and what is on its way.
struct WalletScreen: View {
    let client: Antiphon
    @State private var shown: Snapshot?
    @State private var calls: [CallView] = []
    /// Drawn when the form is opened, not when the button is pressed: who presses twice pays once.
    @State private var key = UUID().uuidString
    @State private var to = ""
    @State private var amount = ""
    /// What to do about what went wrong last.
    @State private var help: String?

    var body: some View {
        Form {
            Section {
                Text(formatAmount(units: balance?.value ?? "0")).font(.largeTitle)
                Text(balance.map { "\($0.level) at block \($0.height)" } ?? "not proven yet").font(.footnote)
                Text(shown?.wallet.address ?? "").textSelection(.enabled)
            }
            Section("Send") {
                TextField("To", text: $to)
                TextField("Amount", text: $amount)
                Button("Send") { Task { await send() } }
                if let help { Text(help).foregroundColor(.red) }
            }
            Section("On its way") {
                ForEach(calls, id: \.key) { call in
                    Text("\(call.amount.map { formatAmount(units: $0) } ?? "") \(call.to ?? "") \(call.stage) \(call.code ?? "")")
                }
            }
        }
        .task {
            shown = client.snapshot()
            for await event in client.eventSequence {
                if case .changed(let snapshot) = event { shown = snapshot }
            }
        }
        .task {
            await list()
            do {
                for try await _ in client.moneySequence { await list() }
            } catch {
                // The client sleeps or is closed; the screen is shown anew with the next one.
            }
        }
    }

    private var balance: LeveledAmount? { shown?.wallet.account?.balance }

    private func send() async {
        do {
            let units = try parseAmount(text: amount)
            _ = try await client.transfer(key: key, to: to, amount: units, token: .operational)
            // The next one is another payment.
            (key, help) = (UUID().uuidString, nil)
            await list()
        } catch let error as AntiphonError {
            help = error.text()
        } catch {
            help = error.localizedDescription
        }
    }

    private func list() async {
        calls = (try? await client.calls())?.reversed() ?? calls
    }
}

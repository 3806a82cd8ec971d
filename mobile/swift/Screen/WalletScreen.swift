#if canImport(SwiftUI)
import Antiphon
import SwiftUI

/// The wallet on one screen: what it has, how that is proven, and what is on its way.
public struct WalletScreen: View {
    @ObservedObject private var model: WalletModel
    @State private var to = ""
    @State private var amount = ""

    public init(model: WalletModel) { self.model = model }

    public var body: some View {
        Form {
            Section {
                Text(model.shown.balance).font(.largeTitle)
                Text(model.shown.proof).font(.footnote)
                Text(model.shown.address ?? "").textSelection(.enabled)
            }
            Section("Send") {
                TextField("To", text: $to)
                TextField("Amount", text: $amount)
                Button("Send") { Task { await model.send(to: to, amount: amount) } }
                if let help = model.shown.help { Text(help).foregroundColor(.red) }
            }
            Section("On its way") {
                ForEach(model.shown.calls, id: \.key) { call in
                    Text("\(call.amount.map { formatAmount(units: $0) } ?? "") \(call.to ?? "") \(call.stage) \(call.code ?? "")")
                }
            }
        }
        .task { await model.follow() }
    }
}
#endif

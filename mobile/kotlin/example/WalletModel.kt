import io.antiphon.*
import java.math.BigInteger
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch

/** What a screen shows of a wallet, and what it can ask; knows nothing of Android. `screen/WalletScreen.kt` draws it. */
class WalletModel(private val client: Antiphon, private val scope: CoroutineScope) {
    data class Shown(
        val address: Address? = null,
        val balance: String = "",
        /** How far the balance is believed, and at which height. */
        val proof: String = "",
        /** The newest first. */
        val calls: List<CallView> = emptyList(),
        /** What to do about what went wrong last. */
        val help: String? = null,
    )

    private val state = MutableStateFlow(Shown())
    val shown: StateFlow<Shown> = state.asStateFlow()

    init {
        // Listens before it looks, so that no change falls between.
        scope.launch(start = CoroutineStart.UNDISPATCHED) {
            client.eventFlow().collect { if (it is AntiphonEvent.Changed || it is AntiphonEvent.Lagged) show(client.snapshot()) }
        }
        show(client.snapshot())
        scope.launch { followMoney() }
    }

    /** Lists calls, and again with each change of one; while the client sleeps, waits. Ends with it. */
    private suspend fun followMoney() {
        while (true) {
            try {
                list()
                client.moneyFlow().collect { list() }
            } catch (error: AntiphonException) {
                if (error.isRetryable()) delay(1_000) else return
            }
        }
    }

    /** `key` is drawn when the form is opened, not when the button is pressed: who presses twice pays once. */
    fun send(key: String, to: String, amount: String) = scope.launch {
        try {
            client.transfer(key, to.trim(), parseAmount(amount.trim()), Token.OPERATIONAL)
            state.update { it.copy(help = null) }
            list()
        } catch (error: AntiphonException) {
            state.update { it.copy(help = error.text()) }
        }
    }

    private suspend fun list() {
        val calls = client.calls().asReversed()
        state.update { it.copy(calls = calls) }
    }

    private fun show(snapshot: Snapshot) {
        val balance = snapshot.wallet.account?.balance
        state.update {
            it.copy(
                address = snapshot.wallet.address,
                balance = formatAmount(balance?.value ?: BigInteger.ZERO),
                proof = balance?.let { proven -> "${proven.level.name.lowercase()} at block ${proven.height}" } ?: "not proven yet",
            )
        }
    }
}

/** A listener without a player: it joins a stream, carries it for others, and is paid. */

import io.antiphon.*
import java.math.BigInteger

/** Joins a stream, and returns it when the first of it is here. */
suspend fun Antiphon.listenTo(url: String): StreamView {
    listen(url)
    return until { shown -> shown.stream.takeIf { shown.delivery.cached > 0u } }
}

/** Waits until the pool that pays has promised something to who carries the stream. */
suspend fun Antiphon.promise() = until { shown -> shown.wallet.pool?.promised?.takeIf { it > BigInteger.ZERO } }

/** Waits for vouchers, settles them, and waits for the chain to say so. */
suspend fun Antiphon.earn() {
    until { shown -> shown.wallet.vouchersIn.takeIf { it > BigInteger.ZERO } }
    settle()
    until { shown -> shown.wallet.settlements.find { it.level != null } }
}

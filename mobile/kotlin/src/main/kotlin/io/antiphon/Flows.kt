package io.antiphon

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/** Every event from now on. A slow reader gets [AntiphonEvent.Lagged] instead of what it missed. */
fun Antiphon.eventFlow(): Flow<AntiphonEvent> = flow {
    events().use { stream ->
        try {
            while (true) emit(stream.next() ?: break)
        } finally {
            stream.cancel()
        }
    }
}

/** Each change of a call that moves money, until it is handled: when the collector returns, it is. */
fun Antiphon.moneyFlow(): Flow<MoneyEvent> = flow {
    money().use { stream ->
        try {
            while (true) {
                val event = stream.next() ?: break
                emit(event)
                eventHandled(event.id)
            }
        } finally {
            stream.cancel()
        }
    }
}

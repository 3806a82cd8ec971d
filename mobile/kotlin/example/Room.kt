/** A payment field of those who are in one room. */

import io.antiphon.*

/** Enters, and returns how many others are there. */
suspend fun Antiphon.enter(name: String): Int {
    enterRoom(name)
    return until { shown -> shown.around.takeIf { it.isNotEmpty() } }.size
}

suspend fun Antiphon.propose(deposit: Amount) = proposeField(snapshot().around.map { it.peer }, deposit)

private suspend fun Antiphon.fieldIn(phase: FieldPhase) = until { shown -> shown.fields.find { it.phase == phase } }

suspend fun Antiphon.accept() = acceptField(fieldIn(FieldPhase.INVITED).field)

/** Pays somebody else in the field, once a key. */
suspend fun Antiphon.pay(key: String, amount: Amount): CallView {
    val field = fieldIn(FieldPhase.OPEN)
    val other = field.members.first { it.address != snapshot().wallet.address }
    return payMember(key, field.field, other.address, amount)
}

/** What words do not bring back, as a file that another device takes. */

import io.antiphon.*
import java.util.Base64

/** Returns a backup as one word. */
suspend fun Antiphon.backupWord(): String = Base64.getEncoder().encodeToString(backup(ByteArray(0)))

/** Takes one that another device made. */
suspend fun Antiphon.take(file: String) {
    restoreBackup(Base64.getDecoder().decode(file))
}

/** Says of each pool why nothing is signed for it, if so. */
fun Antiphon.locked(): List<String> = snapshot().wallet.locked.map { it.freeze ?: "usable" }.sorted()

/** Looks for pools of a lost device, and says how many hold money, and whether there may be more. */
suspend fun Antiphon.find(): String = findOwnPools().let { "found ${it.pools.size}" + if (it.isWhole) "" else " or more" }

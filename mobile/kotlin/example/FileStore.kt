import io.antiphon.SecretStore
import java.io.File

/** Keeps secrets in files that only their owner reads. A device has something better: `KeystoreSecretStore`. */
class FileStore(private val folder: File) : SecretStore {
    private fun file(name: String) = File(folder, "$name.secret")

    override fun get(name: String) = file(name).takeIf { it.exists() }?.readBytes()

    override fun put(name: String, secret: ByteArray) {
        folder.mkdirs()
        file(name).apply { createNewFile(); setReadable(false, false); setReadable(true, true) }.writeBytes(secret)
    }

    override fun delete(name: String) {
        file(name).delete()
    }
}

/** Prints the verdicts on the files of public vectors that it is given. */

import java.io.File
import uniffi.vectors.verdicts

fun main(paths: Array<String>) {
    for (file in paths.map(::File)) {
        println("# ${file.name}")
        print(checkNotNull(verdicts(file.name, file.readText())) { "not such a file" })
    }
}
